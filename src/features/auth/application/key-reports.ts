import { Inject, Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { AuditTrail } from '../../../kernel/audit.js';
import { currentContext } from '../../../kernel/context.js';
import type { Page } from '../../../kernel/cursor.js';
import { Clock } from '../../../kernel/time.js';
import { authSettings, type AuthSettings } from '../auth.settings.js';
import type { ApiKeyRecord } from '../domain/api-key.js';
import { ApiKeys, type ListKeys } from './api-keys.js';

const HOUR_MS = 3_600_000;
const REMEMBERED_READERS = 10_000;
/** Where the settings name no threshold. */
const DEFAULT_INACTIVE_DAYS = 90;

/** What the admins of a tenant ask about its keys, and that they asked. Both throw INVALID_CURSOR. */
@Injectable()
export class KeyReports {
  /** By credential, when its last listing was recorded: somebody's dashboard must not drown the trail. */
  readonly #recorded = new LRUCache<string, number>({ max: REMEMBERED_READERS });

  constructor(
    private readonly apiKeys: ApiKeys,
    private readonly audit: AuditTrail,
    private readonly clock: Clock,
    @Inject(authSettings.token) private readonly settings: AuthSettings,
  ) {}

  async listed(page: ListKeys): Promise<Page<ApiKeyRecord>> {
    const found = await this.apiKeys.list(page);
    if (this.#firstInAnHour()) {
      this.audit.note({
        event: 'selfserve.api_key.listed',
        outcome: 'success',
        metadata: { count: found.items.length },
      });
    }
    return found;
  }

  /** Keys that somebody should look after: not revoked, but stale or expired. */
  async inactive(list: ListKeys): Promise<{ readonly threshold: number; readonly found: Page<ApiKeyRecord> }> {
    const staleDays = list.staleDays ?? (this.settings.inactiveDays || DEFAULT_INACTIVE_DAYS);
    const found = await this.apiKeys.list({ ...list, staleDays, notRevoked: true });
    this.audit.note({
      event: 'selfserve.api_key.inactive_reported',
      outcome: 'success',
      metadata: { inactive_days: staleDays, count: found.items.length },
    });
    return { threshold: staleDays, found };
  }

  #firstInAnHour(): boolean {
    const { principal } = currentContext();
    const reader = `${principal?.tenantId}/${principal?.apiKeyId}`;
    const now = this.clock.now().getTime();
    if (now - (this.#recorded.get(reader) ?? -Infinity) < HOUR_MS) return false;
    this.#recorded.set(reader, now);
    return true;
  }
}
