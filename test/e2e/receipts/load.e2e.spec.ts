import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { checkDownloaded, readKeyFile } from '../../../src/features/receipts/index.js';
import { ScriptedChat } from '../run/scripted-chat.js';
import { KEYS, Witness, type Body } from './witness.js';

/** How many answers; `RECEIPT_LOAD_RUNS=10000` for the size that the product promises. */
const RUNS = Number(process.env['RECEIPT_LOAD_RUNS'] ?? 300);
const AT_ONCE = 32;

let witness: Witness;
beforeAll(async () => {
  witness = await Witness.start({ RUN_MAX_CONCURRENCY: '64' }, new ScriptedChat());
  await witness.configure({ receipt_enforcement: 'required' });
});
afterAll(() => witness.close());

/** Every receipt of the tenant, as it is downloaded. */
async function* downloads(): AsyncIterable<Body> {
  for (let cursor: string | null = ''; cursor !== null;) {
    const after = cursor === '' ? '' : `&cursor=${cursor}`;
    const page: Body = (await witness.admin.get(`/v1/receipts?limit=200${after}`).expect(200)).body.data;
    yield* page.receipts;
    cursor = page.next_cursor;
  }
}

describe(`${RUNS} answers that receipts are required of`, () => {
  it(
    'have as many receipts, each of which verifies, in a chain that breaks where one is deleted',
    async () => {
      const ids: string[] = [];
      let left = RUNS;
      const worker = async (): Promise<void> => {
        while (left-- > 0) ids.push(await witness.receiptOf());
      };
      await Promise.all(Array.from({ length: AT_ONCE }, worker));
      expect(new Set(ids).size).toBe(RUNS);

      const keys = readKeyFile(JSON.stringify(KEYS));
      if (typeof keys === 'string') throw new Error(keys);
      const seen: string[] = [];
      for await (const receipt of downloads()) {
        seen.push(receipt.receipt_id);
        expect(checkDownloaded(receipt, keys)?.receipt).toMatchObject({ valid: true, reason: 'ok' });
      }
      expect(seen).toEqual(ids.sort().reverse());
      const [counts] = await witness.app.rows(
        `SELECT (SELECT count(*)::int FROM receipt_outcomes WHERE tenant_id = $1 AND status = 'completed') AS outcomes,
                (SELECT count(*)::int FROM messages WHERE tenant_id = $1 AND role = 'assistant') AS answers`,
        [witness.tenantId],
      );
      expect(counts).toEqual({ outcomes: RUNS, answers: RUNS });

      await witness.chain();
      const verify = (): Promise<unknown> => witness.app.as(witness.tenantId, () => witness.chains.verify());
      expect(await verify()).toMatchObject({ firstBadSeq: null, checked: RUNS });
      const deleted = Math.ceil(RUNS / 2);
      await witness.tamper(
        `DELETE FROM receipts WHERE receipt_id = (SELECT receipt_id FROM receipt_chain
          WHERE tenant_id = '${witness.tenantId}' AND seq = ${deleted})`,
      );
      expect(await verify()).toMatchObject({ firstBadSeq: deleted });
    },
    30_000 + RUNS * 200,
  );
});
