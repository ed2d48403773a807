import { Reply } from '../../../platform/http/index.js';
import type { IssuedKey } from '../application/administer-keys.js';
import { toApiKeyDto, type IssuedApiKeyDto } from './api-keys.dto.js';

/** The one answer that carries a key; no cache on the way may keep it. */
export function issued({ key, token }: IssuedKey, now: Date): Reply<IssuedApiKeyDto> {
  return new Reply({ ...toApiKeyDto(key, now), api_key: token }, { headers: { 'Cache-Control': 'no-store' } });
}
