import { defineErrors } from '../../kernel/errors.js';

export const receiptsErrors = defineErrors('receipts', {
  RECEIPT_NOT_FOUND: { status: 404, message: 'receipt not found', retry: 'never' },
  RECEIPT_SIGNING_UNAVAILABLE: {
    status: 503,
    message: 'This tenant demands signed receipts, and the key to sign them is not available. Tell your operator.',
    retry: 'after-change',
  },
  RECEIPT_UNAVAILABLE: {
    status: 503,
    message: 'This tenant demands a receipt for every answer, and it could not be written. Ask again.',
    retry: 'later',
    retryAfterSeconds: 5,
  },
  RECEIPT_TARGET_REQUIRED: {
    status: 400,
    message: 'Name the receipts to list: subject_id or tenant_id.',
    retry: 'after-change',
  },
  'unreplayable.nested_replay': {
    status: 422,
    message: 'This is the receipt of a replay. Replay its parent_receipt_id instead.',
    retry: 'never',
  },
  'unreplayable.missing_policy_snapshot': {
    status: 422,
    message: 'The receipt does not say which policy bundle was in force.',
    retry: 'never',
  },
  'unreplayable.invalid_snapshot': {
    status: 422,
    message: 'The policy snapshot of the receipt is not the one that was signed, or cannot be read.',
    retry: 'never',
  },
  'unreplayable.query_unavailable': {
    status: 422,
    message: 'The question of the receipt was erased, or cannot be decrypted.',
    retry: 'never',
  },
  'unreplayable.corpus_missing': {
    status: 422,
    message: 'The corpus of the receipt does not exist any more.',
    retry: 'never',
  },
});

/** What a replay can be refused with. */
export const UNREPLAYABLE = [
  'unreplayable.nested_replay',
  'unreplayable.missing_policy_snapshot',
  'unreplayable.invalid_snapshot',
  'unreplayable.query_unavailable',
  'unreplayable.corpus_missing',
] as const;
