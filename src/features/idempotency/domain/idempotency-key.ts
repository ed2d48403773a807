import type { Operation } from '../../../kernel/operation.js';

const MAX_LENGTH = 128;
const READS = ['GET', 'HEAD', 'OPTIONS'];

/** The key in a header; undefined when the header holds none. Quotes, as the IETF draft has them, belong to the key. */
export function keyOf(header: string): string | undefined {
  const key = header.trim();
  return key === '' || key.length > MAX_LENGTH ? undefined : key;
}

/** Whether requests of this kind may carry an `Idempotency-Key`; it is ignored elsewhere. */
export function takesKey(method: string, { role, changesNothing }: Operation): boolean {
  return !READS.includes(method) && role !== 'public' && changesNothing !== true;
}

/** Whether a repetition gets the stored answer. A stream is not stored; its handler sees to repetitions. */
export function isReplayed({ response }: Operation): boolean {
  return response === 'json' || response === 'empty';
}
