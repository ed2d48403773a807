import { canonicalForm } from '../domain/canonical-form.js';
import { verdictOf, type Verdict } from '../domain/signature.js';
import type { SigningKeys } from '../domain/signing-keys.js';

/** What the API shows beside a receipt, which its signature does not cover. */
const BESIDE = ['status', 'tombstoned_at', 'outcome'];

export interface DownloadedCheck {
  readonly receiptId: string;
  readonly receipt: Verdict;
  /** Undefined without an outcome. */
  readonly outcome: Verdict | undefined;
}

/**
 * Checks a receipt as `GET /v1/receipts/{id}` answers it, with its envelope or without, and needs nothing but the keys.
 *
 * @returns undefined for what is no receipt.
 */
export function checkDownloaded(file: unknown, keys: SigningKeys): DownloadedCheck | undefined {
  const receipt = isObject(file) && isObject(file['data']) ? file['data'] : file;
  if (!isObject(receipt) || typeof receipt['receipt_id'] !== 'string') return undefined;
  const body = Object.fromEntries(Object.entries(receipt).filter(([key]) => !BESIDE.includes(key)));
  const { outcome } = receipt;
  return {
    receiptId: receipt['receipt_id'],
    receipt: verdictOfBody(body, keys),
    outcome: isObject(outcome) ? verdictOfOutcome(outcome, receipt['receipt_id'], keys) : undefined,
  };
}

function verdictOfOutcome(outcome: Record<string, unknown>, receiptId: string, keys: SigningKeys): Verdict {
  const verdict = verdictOfBody(outcome, keys);
  return outcome['receipt_id'] === receiptId ? verdict : mismatch(verdict);
}

function verdictOfBody(body: Record<string, unknown>, keys: SigningKeys): Verdict {
  const signature = textOrNull(body['receipt_signature']);
  const keyId = textOrNull(body['receipt_signature_key_id']);
  const algorithm = textOrNull(body['receipt_signature_algorithm']);
  try {
    return verdictOf({ canonical: canonicalForm(body), signature, keyId, algorithm }, keys);
  } catch {
    // It holds what no receipt holds.
    return mismatch(verdictOf({ canonical: '', signature, keyId, algorithm }, keys));
  }
}

function mismatch(verdict: Verdict): Verdict {
  return { ...verdict, valid: false, reason: 'signature_mismatch' };
}

function textOrNull(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
