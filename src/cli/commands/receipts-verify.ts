import { z } from 'zod';
import { checkDownloaded, readKeyFile, receiptsSettings, signingKeys } from '../../features/receipts/index.js';
import { dbSettings } from '../../platform/db/index.js';
import { defineCommand, type CommandContext } from '../command.js';
import { CommandFailure, EXIT } from '../failure.js';
import { givenText } from '../given-text.js';

/** Differs from that of a receipt of which it cannot be said. */
const TAMPERED = 4;

const verdict = z.object({
  valid: z.boolean().nullable(),
  reason: z.string(),
  key_id: z.string().nullable(),
  algorithm: z.string().nullable(),
});

export const receiptsVerify = defineCommand({
  name: 'receipts verify',
  summary:
    'Verify a downloaded receipt without a server. Ends with 4 when it was changed, and with 1 when it cannot be said.',
  positional: ['file'],
  args: z.strictObject({
    file: z.string().min(1, 'must not be empty').describe('a receipt as GET /v1/receipts/{id} answers it'),
    keys: z
      .string()
      .optional()
      .describe(
        'file with HMAC keys, {"id":"base64"}, or with public keys, as /.well-known/receipt-keys.json (default: the keys of this installation)',
      ),
  }),
  local: true,
  result: z.object({ receipt_id: z.string(), receipt: verdict, outcome: verdict.nullable() }),
  run: async (context, { file, keys }) => {
    const check = checkDownloaded(jsonOf(await givenText('<file>', file)), await keysFor(context, keys));
    if (check === undefined) throw new CommandFailure('USAGE', '<file> is no receipt', EXIT.usage);
    const shown = ({ keyId, ...rest }: typeof check.receipt): z.output<typeof verdict> => ({ ...rest, key_id: keyId });
    return {
      receipt_id: check.receiptId,
      receipt: shown(check.receipt),
      outcome: check.outcome === undefined ? null : shown(check.outcome),
    };
  },
  view: ({ receipt_id, receipt, outcome }) => ({
    kind: 'fields',
    fields: [
      ['receipt_id', receipt_id],
      ['receipt', receipt.reason],
      ['outcome', outcome === null ? 'none' : outcome.reason],
      ['key_id', receipt.key_id ?? ''],
      ['algorithm', receipt.algorithm ?? ''],
    ],
  }),
  exitCode: ({ receipt, outcome }) => {
    if (receipt.valid === false || outcome?.valid === false) return TAMPERED;
    return receipt.valid === true && outcome?.valid !== null ? EXIT.ok : EXIT.failure;
  },
});

async function keysFor(context: CommandContext, file: string | undefined): Promise<ReturnType<typeof signingKeys>> {
  if (file === undefined) {
    return signingKeys(context.settings.get(receiptsSettings), context.settings.get(dbSettings), false);
  }
  const keys = readKeyFile(await givenText('--keys', file));
  if (typeof keys === 'string') throw new CommandFailure('USAGE', `--keys ${keys}`, EXIT.usage);
  return keys;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
