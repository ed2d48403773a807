import { sha256Hex } from '../../../kernel/hash.js';

/** How the answer ended that a receipt was written for. */
export interface Outcome {
  readonly status: 'completed' | 'error' | 'disconnected';
  readonly errorCode: string | null;
  /** What was sent, whole or in part; null when nothing was. */
  readonly answer: string | null;
  readonly messageId: string | null;
  readonly usage: { readonly input_tokens: number; readonly output_tokens: number } | null;
}

export function outcomeBody(
  receiptId: string,
  { status, errorCode, answer, messageId, usage }: Outcome,
  at: Date,
): Readonly<Record<string, string | number | null>> {
  return {
    receipt_id: receiptId,
    status,
    error_code: errorCode,
    answer_sha256: answer === null ? null : sha256Hex(answer),
    answer_bytes: answer === null ? null : Buffer.byteLength(answer),
    message_id: messageId,
    input_units: usage?.input_tokens ?? null,
    output_units: usage?.output_tokens ?? null,
    finished_at: at.toISOString(),
  };
}
