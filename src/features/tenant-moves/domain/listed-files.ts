import { z } from 'zod';
import { sha256Hex } from '../../../kernel/hash.js';
import type { TarEntry } from './tar.js';

export interface ListedFile {
  /** In the blob store. */
  readonly key: string;
  readonly content: Uint8Array;
}

const lineSchema = z.strictObject({
  document_id: z.string(),
  files: z.array(z.strictObject({ key: z.string(), sha256: z.string(), bytes: z.int() })),
});

/** Undefined when the contents are not those that the lines list, or not of documents of the tenant. */
export function readListedFiles(
  lines: string,
  contents: readonly TarEntry[],
  tenantId: string,
): ListedFile[] | undefined {
  const listed = lines
    .split('\n')
    .filter((line) => line !== '')
    .flatMap((line) => lineSchema.parse(JSON.parse(line)).files);
  const files = listed.map(({ key, sha256 }, place) => ({ key, sha256, content: contents[place]?.content ?? EMPTY }));
  const sound = files.every(
    ({ key, sha256, content }) => key.startsWith(`tenants/${tenantId}/documents/`) && sha256Hex(content) === sha256,
  );
  return sound && files.length === contents.length ? files : undefined;
}

const EMPTY = new Uint8Array();
