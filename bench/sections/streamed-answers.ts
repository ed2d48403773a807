import type { Row } from '../result.js';
import { median, percentile } from '../statistics.js';
import type { Bench, Section } from '../rig/bench.js';
import { ONE_TENANT, THREE_TENANTS } from '../rig/corpus-database.js';
import { TOKEN_MS, TOKENS } from '../rig/product.js';
import { interleaved, type Rounds } from '../rig/rounds.js';
import { openSite, type Site, type SiteOptions } from '../rig/site.js';
import { askInParallel, type StreamTimes } from '../rig/streams.js';
import { answerTargets } from '../rig/targets.js';

/** Most that the product may add to the first token, in ms, by number of clients. */
const GOALS: Readonly<Record<number, number>> = { 1: 5, 32: 15 };
const CLIENTS = [1, 32, 128];

/** (b) What the product adds to the search and the model of an answer. */
export const streamedAnswers: Section = {
  id: 'answers',
  title: 'Streamed answers',
  method:
    `\`POST /v1/run\` with a model that says ${TOKENS} tokens, ${TOKEN_MS} ms apart; every client asks its next ` +
    'question, in a session of its own, as soon as the last answer has ended. Against Express and pg that send the ' +
    'same statements for the same questions and write as many tokens at the same pace. Times from sending the ' +
    'question, seen by the client.',

  async run(bench) {
    const rows: Row[] = [];
    const passages = bench.size(100_000, 2000);
    const corpora: Pick<SiteOptions, 'layout' | 'tenantId'>[] = [
      { layout: THREE_TENANTS(passages), tenantId: 'tenth' },
      { layout: ONE_TENANT(passages), tenantId: 'whole' },
    ];
    for (const { layout, tenantId } of corpora) {
      const site = await openSite(bench, { layout, tenantId, questions: bench.size(64, 8) });
      const size = (layout[tenantId] ?? 0).toLocaleString('en-US');
      // Until the code is compiled, an answer costs several times as much.
      for (const side of ['baseline', 'product'] as const) await round(site, side, 16, bench.size(400, 8));
      for (const clients of CLIENTS) rows.push(...(await measure(bench, site, clients, size)));
      await Promise.all([site.api.stop(), site.baseline.stop()]);
    }
    return { rows, notes: [`Medians of ${bench.rounds} rounds; each round has at least 2 answers per client.`] };
  },
};

async function measure(bench: Bench, site: Site, clients: number, size: string): Promise<Row[]> {
  const answers = bench.size(Math.max(24, clients * 3), clients * 2);
  const rounds = await interleaved(
    bench.rounds,
    () => round(site, 'baseline', clients, answers),
    () => round(site, 'product', clients, answers),
  );
  const row = (figure: keyof AnswerTimes, share: number): Pick<Row, 'unit' | 'better' | 'product' | 'baseline'> => ({
    unit: 'ms',
    better: 'lower',
    product: overRounds(rounds.product, figure, share),
    baseline: overRounds(rounds.baseline, figure, share),
  });
  const limit = GOALS[clients];
  const label = `${size} passages, ${clients} ${clients === 1 ? 'client' : 'clients'}`;
  return [
    {
      label: `first token, ${label}, p50`,
      ...row('firstToken', 0.5),
      compare: 'difference',
      ...(limit === undefined ? {} : { goal: { of: 'difference', sign: '≤', limit } }),
    },
    { label: `first token, ${label}, p95`, ...row('firstToken', 0.95), compare: 'difference' },
    { label: `whole answer, ${label}, p50`, ...row('end', 0.5), compare: 'difference' },
    { label: `processor time of the server for an answer, ${label}`, ...row('cpu', 0.5) },
  ];
}

interface AnswerTimes extends StreamTimes {
  /** Processor time of the server for an answer, on average. */
  readonly cpu: number;
}

async function round(
  site: Site,
  side: keyof Rounds<unknown>,
  clients: number,
  answers: number,
): Promise<AnswerTimes[]> {
  const server = side === 'product' ? site.api : site.baseline;
  const question = (at: number): string => site.questions[at % site.questions.length] ?? '';
  const before = server.cpuMs();
  const times = await askInParallel(answerTargets(site)[side], { clients, answers, question });
  const cpu = (server.cpuMs() - before) / times.length;
  return times.map((time) => ({ ...time, cpu }));
}

function overRounds(rounds: readonly (readonly AnswerTimes[])[], figure: keyof AnswerTimes, share: number): number {
  return median(
    rounds.map((times) =>
      percentile(
        times.map((time) => time[figure]),
        share,
      ),
    ),
  );
}
