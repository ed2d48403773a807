import { randomUUID } from 'node:crypto';
import type { Row } from '../result.js';
import { median } from '../statistics.js';
import type { Section } from '../rig/bench.js';
import { corpusDatabase, THREE_TENANTS } from '../rig/corpus-database.js';
import { CORPUS } from '../rig/corpus-loader.js';
import { Inside } from '../rig/inside.js';
import { productEnvironment, startApi } from '../rig/product.js';
import { interleaved } from '../rig/rounds.js';
import { connected } from '../rig/services.js';
import { askInParallel, type StreamTimes } from '../rig/streams.js';
import { SyntheticText } from '../rig/text.js';

const TENANT = 'tenth';
/** Most that a receipt may add to the first token, in ms. */
const GOAL = 2;

/** (b) What a signed receipt, stored before the first token, adds to an answer. */
export const receipts: Section = {
  id: 'receipts',
  title: 'Receipts',
  method:
    '`POST /v1/run` of a tenant that requires receipts, against the same program on the same database with ' +
    '`STATEWAVE_RECEIPTS_DISABLED`. The model and the questions are those of streamed answers.',

  async run(bench) {
    const { against } = bench.options;
    const layout = THREE_TENANTS(bench.size(20_000, 2000));
    const env = {
      ...productEnvironment(bench, await corpusDatabase(bench, layout)),
      PLATFORM_OPERATOR_TENANTS: TENANT,
    };
    const inside = await Inside.open(env);
    const token = await inside.key(TENANT);
    await inside.close();
    const apis = {
      baseline:
        against === undefined
          ? startApi(bench, { ...env, STATEWAVE_RECEIPTS_DISABLED: 'true' })
          : startApi(bench, env, { checkout: against }),
      product: startApi(bench, env),
    };
    const urls = { baseline: await apis.baseline.url(), product: await apis.product.url() };
    await requireReceipts(urls.product, token);

    const text = new SyntheticText(3);
    const questions = Array.from({ length: bench.size(64, 8) }, () => text.question());
    const ask = async (side: keyof typeof urls, clients: number, answers: number): Promise<StreamTimes[]> =>
      askInParallel(
        {
          url: `${urls[side]}/v1/run`,
          headers: { Authorization: `Bearer ${token}` },
          body: (message) => ({ session_id: randomUUID(), corpus_id: CORPUS, message }),
        },
        { clients, answers, question: (at) => questions[at % questions.length] ?? '' },
      );
    for (const side of ['baseline', 'product'] as const) await ask(side, 16, bench.size(400, 8));

    const rows: Row[] = [];
    for (const clients of [1, 32]) {
      const answers = bench.size(clients === 1 ? 100 : 320, clients * 2);
      const rounds = await interleaved(
        bench.rounds,
        () => ask('baseline', clients, answers),
        () => ask('product', clients, answers),
      );
      const label = `${clients} ${clients === 1 ? 'client' : 'clients'}, p50`;
      for (const [name, figure] of [
        ['first token', 'firstToken'],
        ['whole answer', 'end'],
      ] as const) {
        const p50 = (side: keyof typeof rounds): number =>
          median(rounds[side].map((times) => median(times.map((time) => time[figure]))));
        rows.push({
          label: `${name}, ${label}`,
          unit: 'ms',
          better: 'lower',
          product: p50('product'),
          baseline: p50('baseline'),
          compare: 'difference',
          ...(clients === 1 ? { goal: { of: 'difference', sign: '≤', limit: GOAL } as const } : {}),
        });
      }
    }
    return { rows, notes: [`${await stored(env)} receipts were stored; medians of ${bench.rounds} rounds.`] };
  },
};

async function requireReceipts(url: string, token: string): Promise<void> {
  const response = await fetch(`${url}/v1/admin/tenants/${TENANT}/config`, {
    method: 'PATCH',
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({ receipts: 'always', receipt_enforcement: 'required' }),
  });
  if (!response.ok) throw new Error(`Receipts cannot be required: ${response.status} ${await response.text()}`);
}

async function stored({ DATABASE_URL }: Readonly<Record<string, string>>): Promise<number> {
  const { rows } = await connected(DATABASE_URL ?? '', async (client) => {
    await client.query('SET ROLE nexusrag_system');
    return client.query<{ count: number }>('SELECT count(*)::int FROM receipts WHERE tenant_id = $1', [TENANT]);
  });
  return rows[0]?.count ?? 0;
}
