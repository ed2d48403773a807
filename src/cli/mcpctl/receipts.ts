import { z } from 'zod';
import { apiPath } from '../../platform/api-client/index.js';
import { defineApiCommand, id } from './api-command.js';
import type { Row } from './table.js';

const receiptId = id('which receipt');

const get = defineApiCommand({
  name: 'receipts get',
  summary: 'Show a receipt; all of it with --json.',
  positional: ['receiptId'],
  args: z.strictObject({ receiptId }),
  columns: {
    'Receipt ID': 'receipt_id',
    Mode: 'mode',
    Created: 'created_at',
    Corpus: 'corpus_id',
    Entries: 'selected_entries.length',
    Region: 'region',
    'Signed With': 'receipt_signature_key_id',
    Status: 'status',
  },
  run: ({ api }, { receiptId }) => api.get(apiPath`/v1/receipts/${receiptId}`),
});

const verify = defineApiCommand({
  name: 'receipts verify',
  summary:
    'Check the signatures of a receipt and of its outcome. Ends with 1 unless they, and all else that can be checked, are right.',
  positional: ['receiptId'],
  args: z.strictObject({ receiptId }),
  columns: {
    Valid: 'valid',
    Reason: 'reason',
    'Key ID': 'key_id',
    Algorithm: 'algorithm',
    Outcome: 'outcome_reason',
    Chain: 'chain_valid',
  },
  run: ({ api }, { receiptId }) => api.get(apiPath`/v1/receipts/${receiptId}/verify`),
  isGood: (data) => {
    const { valid, outcome_valid: outcome, outcome_reason: why, chain_valid: chain, checks } = data as Row;
    const sound = [outcome, chain, (checks as Row | undefined)?.['columns_match']].every((it) => it !== false);
    return valid === true && sound && (outcome === true || why == null);
  },
});

const replay = defineApiCommand({
  name: 'receipts replay',
  summary: 'Ask again with the data and rules of today, and show what differs.',
  positional: ['receiptId'],
  args: z.strictObject({ receiptId }),
  columns: {
    'Original ID': 'original_receipt_id',
    'Replay ID': 'replay_receipt_id',
    Changed: 'diff.context_hash.changed',
    Added: 'diff.selected_entries.added.length',
    Removed: 'diff.selected_entries.removed.length',
    Common: 'diff.selected_entries.common',
    Drift: 'diff.drift_class',
  },
  run: ({ api }, { receiptId }) => api.post(apiPath`/v1/receipts/${receiptId}/replay`),
});

export const RECEIPT_COMMANDS = [get, verify, replay];
