import { canonicalJson } from '../../../kernel/canonical-json.js';
import type { JsonObject } from './canonical-form.js';

/** The columns of a receipt that repeat what its body says. */
export interface Columns {
  readonly receipt_signature_key_id: string | null;
  readonly receipt_signature_algorithm: string | null;
  readonly policy_snapshot: unknown;
  readonly context_hash: string;
  readonly context_size_bytes: number;
  readonly policy_bundle_hash: string | null;
  readonly as_of: Date;
  readonly created_at: Date;
}

const SAME_NAME = [
  'tenant_id',
  'receipt_id',
  'parent_receipt_id',
  'mode',
  'subject_id',
  'query_id',
  'task_id',
  'corpus_id',
  'caller_id',
  'region',
  'receipt_signature_key_id',
  'receipt_signature_algorithm',
] as const;

/** Whether a row says what its body says. Lists are made of columns, proofs of bodies. */
export function columnsMatch(
  row: Columns & Readonly<Record<(typeof SAME_NAME)[number], string | null>>,
  body: JsonObject | undefined,
): boolean {
  if (body === undefined) return false;
  const { output, policy } = body as { output?: JsonObject; policy?: JsonObject };
  return (
    SAME_NAME.every((name) => row[name] === body[name]) &&
    row.context_hash === output?.['context_hash'] &&
    row.context_size_bytes === output['context_size_bytes'] &&
    row.policy_bundle_hash === policy?.['policy_bundle_hash'] &&
    isAt(row.as_of, body['as_of']) &&
    isAt(row.created_at, body['created_at']) &&
    snapshotsMatch(row.policy_snapshot, body['policy_snapshot'])
  );
}

/** What somebody wrote past the application may be no instant, such as `infinity`. */
function isAt(column: unknown, written: unknown): boolean {
  return column instanceof Date && !Number.isNaN(column.getTime()) && column.toISOString() === written;
}

export function snapshotsMatch(column: unknown, body: unknown): boolean {
  return canonicalJson(column) === canonicalJson(body);
}
