import { type Corpus, Corpora } from '../../src/features/corpora/index.js';
import { Retriever } from '../../src/features/retrieval/index.js';
import { runInContext } from '../../src/kernel/context.js';
import type { Row } from '../result.js';
import { mean, median, percentile, recall } from '../statistics.js';
import type { Section } from '../rig/bench.js';
import { corpusDatabase, ONE_TENANT } from '../rig/corpus-database.js';
import { CORPUS } from '../rig/corpus-loader.js';
import { ExactSearch } from '../rig/exact-search.js';
import { Inside } from '../rig/inside.js';
import { productEnvironment } from '../rig/product.js';
import { interleaved } from '../rig/rounds.js';
import { connected } from '../rig/services.js';
import { SyntheticText } from '../rig/text.js';

const TOP = 10;
const TENANT = 'whole';
const SHARES = [1, 10, 100] as const;

/** What it costs that a search finds only what its asker may read, and whether it finds all of that. */
export const trimming: Section = {
  id: 'trimming',
  title: 'Searching what one may read',
  method:
    'A search for 10 passages by people who hold grants on 1, 10 and 100 % of the documents of one corpus, against the ' +
    'same search by the system, which may read everything, in the same process. Recall is the share of the ten best ' +
    'passages of an exhaustive search of what they may read that the product finds.',

  async run(bench) {
    const passages = bench.size(100_000, 2000);
    const url = await corpusDatabase(bench, ONE_TENANT(passages));
    const inside = await Inside.open(productEnvironment(bench, url));
    bench.onClose(() => inside.close());
    const text = new SyntheticText(3);
    const questions = Array.from({ length: bench.size(60, 6) }, () => text.question());
    const corpus = await inside.as(TENANT, () => inside.service(Corpora).get(CORPUS));
    const half = questions.filter((_, at) => at % 2 === 0);
    const exact = await ExactSearch.over(url, TENANT, half);
    const [rows, counts]: [Row[], number[]] = [[], []];
    for (const share of SHARES) {
      const readable = new Set(await grantShare(url, share));
      counts.push(readable.size);
      const search = (question: string, reader: 'principal' | 'system'): Promise<string[]> =>
        find(inside, corpus, `reader-${share}`, question, reader);
      rows.push(await latency(bench.rounds, share, questions, search));
      const recalls: number[] = [];
      for (const question of half) {
        const best = (await exact.search(question, readable)).fused.slice(0, TOP);
        recalls.push(
          recall(
            await search(question, 'principal'),
            best.map(({ id }) => id),
          ),
        );
      }
      rows.push({
        label: `recall@${TOP} at ${share} % readable`,
        unit: '',
        better: 'higher',
        product: mean(recalls),
        goal: { of: 'product', sign: '≥', limit: 0.95 },
      });
    }
    return {
      rows,
      notes: [
        `${passages.toLocaleString('en-US')} passages; ${counts.join(', ')} documents with a grant to the person; ` +
          `${questions.length} questions of 3 to 8 words; recall is measured with half of them.`,
      ],
    };
  },
};

type Search = (question: string, reader: 'principal' | 'system') => Promise<string[]>;

async function latency(rounds: number, share: number, questions: readonly string[], search: Search): Promise<Row> {
  const pass = async (reader: 'principal' | 'system'): Promise<number> => {
    const times: number[] = [];
    for (const question of questions) {
      const started = performance.now();
      await search(question, reader);
      times.push(performance.now() - started);
    }
    return percentile(times, 0.5);
  };
  await pass('system');
  await pass('principal');
  const { baseline, product } = await interleaved(
    rounds,
    () => pass('system'),
    () => pass('principal'),
  );
  return {
    label: `latency at ${share} % readable, p50`,
    unit: 'ms',
    better: 'lower',
    product: median(product),
    baseline: median(baseline),
    ...(share === 1 ? { goal: { of: 'ratio', sign: '≤', limit: 2 } } : {}),
  };
}

async function find(
  inside: Inside,
  corpus: Corpus,
  subjectId: string,
  query: string,
  reader: 'principal' | 'system',
): Promise<string[]> {
  const principal = {
    subjectId,
    tenantId: TENANT,
    role: 'reader',
    apiKeyId: subjectId,
    authMethod: 'api_key',
    subjectType: 'user',
  } as const;
  const context = { requestId: 'bench', tenantId: TENANT, principal, trail: [] };
  const { passages } = await runInContext(context, () =>
    inside.service(Retriever).retrieve(corpus, { query, topK: TOP, reader }),
  );
  return passages.map(({ chunkId }) => chunkId ?? '');
}

/** @returns the documents that the reader of this share may read: every so many of the corpus. */
function grantShare(url: string, share: number): Promise<string[]> {
  return connected(url, async (client) => {
    await client.query('SET ROLE nexusrag_system');
    const { rows } = await client.query<{ document_id: string }>(
      `INSERT INTO document_permissions
         (tenant_id, id, document_id, principal_type, principal_id, permission, granted_by)
       SELECT tenant_id, $2 || '-' || id, id, 'user', $2, 'read', 'bench'
         FROM (SELECT *, row_number() OVER (ORDER BY id) AS place FROM documents WHERE tenant_id = $1) AS d
        WHERE place % $3::int = 0 RETURNING document_id`,
      [TENANT, `reader-${share}`, 100 / share],
    );
    await client.query('RESET ROLE');
    await client.query('ANALYZE document_permissions');
    return rows.map(({ document_id }) => document_id);
  });
}
