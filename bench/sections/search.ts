import { DEFAULT_SEARCH_PLAN } from '../../src/features/corpora/index.js';
import { LocalSearch } from '../../src/features/retrieval/index.js';
import type { Row } from '../result.js';
import { mean, median, percentile, recall } from '../statistics.js';
import type { Bench, Section } from '../rig/bench.js';
import { ONE_TENANT, THREE_TENANTS } from '../rig/corpus-database.js';
import { CORPUS } from '../rig/corpus-loader.js';
import { ExactSearch, type ExactResult } from '../rig/exact-search.js';
import type { Inside } from '../rig/inside.js';
import { interleaved } from '../rig/rounds.js';
import { openSite, type SiteOptions } from '../rig/site.js';
import { searchTargets, timed } from '../rig/targets.js';

const TOP = 10;

/** (c) How fast a search is, and how much of what an exhaustive search finds it finds. */
export const search: Section = {
  id: 'search',
  title: 'Search',
  method:
    '`GET /v1/corpora/{id}/search` for 10 passages, one request at a time, for tenants that own 1, 10 and 100 % of ' +
    'the passages in the database; against Express and pg that send the same statements. Recall is the share of the ' +
    'ten best passages of an exhaustive search (every passage scored by BM25, every vector compared, the same fusion) ' +
    'that the product finds.',

  async run(bench) {
    const passages = bench.size(100_000, 2000);
    const shares: [string, Pick<SiteOptions, 'layout' | 'tenantId'>][] = [
      ['1 %', { layout: THREE_TENANTS(passages), tenantId: 'hundredth' }],
      ['10 %', { layout: THREE_TENANTS(passages), tenantId: 'tenth' }],
      ['100 %', { layout: ONE_TENANT(passages), tenantId: 'whole' }],
    ];
    const rows: Row[] = [];
    for (const [share, options] of shares) rows.push(...(await ofShare(bench, share, options)));
    const questions = bench.size(60, 6);
    return {
      rows,
      notes: [
        `${passages.toLocaleString('en-US')} passages in the database; ${questions} questions of 3 to 8 words, drawn ` +
          'like the words of the passages; recall is measured with half of them.',
        'A question that is asked for the first time also counts how many passages hold each of its words.',
      ],
    };
  },
};

async function ofShare(bench: Bench, share: string, options: Pick<SiteOptions, 'layout' | 'tenantId'>): Promise<Row[]> {
  const recalls: Row[] = [];
  const site = await openSite(bench, {
    ...options,
    questions: bench.size(60, 6),
    inspect: async (inside, url, questions) => {
      recalls.push(...(await recallRows(inside, url, options.tenantId, share, halfOf(questions))));
    },
  });
  const pass = async (side: 'baseline' | 'product'): Promise<number[]> => {
    const times: number[] = [];
    for (const question of site.questions) times.push(await timed(searchTargets(site, question)[side]));
    return times;
  };
  const first = await pass('product');
  await pass('baseline');
  const rounds = await interleaved(
    bench.rounds,
    () => pass('baseline'),
    () => pass('product'),
  );
  await Promise.all([site.api.stop(), site.baseline.stop()]);
  const latency = (at: number): Row => ({
    label: `latency at ${share}, p${at * 100}`,
    unit: 'ms',
    better: 'lower',
    product: median(rounds.product.map((times) => percentile(times, at))),
    baseline: median(rounds.baseline.map((times) => percentile(times, at))),
    compare: 'difference',
  });
  const asked = { label: `latency at ${share}, first time asked, p95`, unit: 'ms', better: 'lower' } as const;
  return [
    latency(0.5),
    latency(0.95),
    { ...asked, product: percentile(first.slice(first.length / 2), 0.95) },
    ...recalls,
  ];
}

function halfOf(questions: readonly string[]): string[] {
  return questions.filter((_, at) => at % 2 === 0);
}

async function recallRows(
  inside: Inside,
  url: string,
  tenantId: string,
  share: string,
  questions: readonly string[],
): Promise<Row[]> {
  const exact = await ExactSearch.over(url, tenantId, questions);
  const recalls = { words: [] as number[], vector: [] as number[], fused: [] as number[] };
  for (const question of questions) {
    const expected = await exact.search(question);
    for (const result of ['words', 'vector', 'fused'] as const) {
      const found = await inside.as(tenantId, () => find(inside, question, result));
      recalls[result].push(
        recall(
          found,
          expected[result].slice(0, TOP).map(({ id }) => id),
        ),
      );
    }
  }
  return (['words', 'vector', 'fused'] as const).map((result) => ({
    label: `recall@${TOP} at ${share}, ${result === 'fused' ? 'the result' : `${result} leg`}`,
    unit: '',
    better: 'higher',
    product: mean(recalls[result]),
    goal: { of: 'product', sign: '≥', limit: 0.95 },
  }));
}

/** What the product finds, with one of its legs or with both. */
async function find(inside: Inside, question: string, result: keyof ExactResult): Promise<string[]> {
  const weights = { words: { bm25: 1, vector: 0 }, vector: { bm25: 0, vector: 1 }, fused: undefined }[result];
  const plan = weights === undefined ? DEFAULT_SEARCH_PLAN : { ...DEFAULT_SEARCH_PLAN, weights };
  const query = { corpusId: CORPUS, text: question, topK: TOP, plan, reader: 'system' } as const;
  const { passages } = await inside.service(LocalSearch).search(query);
  return passages.map(({ chunkId }) => chunkId ?? '');
}
