import type { INestApplicationContext } from '@nestjs/common';
import { Corpora, normaliseProviderConfig, type SearchPlan } from '../../features/corpora/index.js';
import { AcceptDocument, Submissions } from '../../features/ingestion/index.js';
import { LocalSearch } from '../../features/retrieval/index.js';
import { Tenants } from '../../features/tenants/index.js';
import { runInContext, systemContext } from '../../kernel/context.js';
import type { EvalDataset, EvalDocument } from './dataset.js';
import { documentRanking, summarise, type RetrievalMetrics } from './metrics.js';
import type { EvaluationReport } from './report.js';

const TENANT = 'evaluation';
const CORPUS = 'evaluation';
/** Passages per query: enough for a hundred documents, of which some have several passages. */
const DEPTH = 400;

export interface EvaluationOptions {
  /** `retrieval` of the corpus's provider_config_json, without the provider. */
  readonly retrieval: Readonly<Record<string, unknown>>;
  /** Also reports the fusion with pseudo-relevance feedback. */
  readonly feedback: boolean;
  readonly progress: (line: string) => void;
}

/**
 * Ingests the collection into a corpus as any document, then sends every query through the search of the platform, by
 * each leg alone and by what the corpus does by itself.
 *
 * @throws DatasetError; Error for a retrieval setting that is not valid, or a document that could not be ingested.
 */
export async function evaluate(
  app: INestApplicationContext,
  dataset: EvalDataset,
  { retrieval, feedback, progress }: EvaluationOptions,
): Promise<EvaluationReport> {
  const plan = planOf(retrieval);
  await app.get(Tenants, { strict: false }).ensure(TENANT);
  return runInContext(systemContext('evaluation', TENANT), async () => {
    const ids = await ingest(app, dataset, retrieval, progress);
    const measure = async (name: string, searched: SearchPlan): Promise<RetrievalMetrics> => {
      progress(`searching: ${name}, ${dataset.queries.length} queries`);
      return summarise(await rank(app, dataset, ids, searched), dataset.qrels);
    };
    return {
      bm25: await measure('bm25', { ...plan, weights: { bm25: 1, vector: 0 } }),
      vector: await measure('vector', { ...plan, weights: { bm25: 0, vector: 1 } }),
      fusion: await measure('fusion', plan),
      ...(feedback ? { fusion_feedback: await measure('fusion with feedback', { ...plan, feedback: true }) } : {}),
    };
  });
}

function planOf(retrieval: Readonly<Record<string, unknown>>): SearchPlan {
  const result = normaliseProviderConfig({ retrieval: { ...retrieval, provider: 'local_pgvector' } });
  if (!result.ok) throw new Error(result.reason);
  if (result.config.provider !== 'local_pgvector') throw new Error('Only local retrieval can be evaluated.');
  return result.config.search;
}

/** @returns the collection's id of each document by the platform's. */
async function ingest(
  app: INestApplicationContext,
  dataset: EvalDataset,
  retrieval: Readonly<Record<string, unknown>>,
  progress: (line: string) => void,
): Promise<Map<string, string>> {
  const submissions = app.get(Submissions, { strict: false });
  const acceptance = app.get(AcceptDocument, { strict: false });
  const providerConfig = { retrieval: { ...retrieval, provider: 'local_pgvector' } };
  await app.get(Corpora, { strict: false }).create({ id: CORPUS, name: 'Evaluation', providerConfig });
  const ids = new Map<string, string>();
  for await (const document of dataset.documents()) {
    const text = textOf(document);
    if (text.trim() === '') continue;
    const documentId = `document-${ids.size + 1}`;
    const submission = submissions.ofText({ corpusId: CORPUS, documentId, text, overwrite: false });
    const { status } = await acceptance.ingestNow(submission);
    if (status !== 'succeeded') throw new Error(`Document ${document.id} could not be ingested.`);
    ids.set(documentId, document.id);
    if (ids.size % 200 === 0) progress(`ingested ${ids.size} documents`);
  }
  progress(`ingested ${ids.size} documents`);
  return ids;
}

/** A title is a heading, as it would be in a file. */
function textOf({ title, text }: EvalDocument): string {
  return title.trim() === '' ? text : `# ${title.trim().replace(/\s+/g, ' ')}\n\n${text}`;
}

async function rank(
  app: INestApplicationContext,
  { queries }: EvalDataset,
  ids: ReadonlyMap<string, string>,
  plan: SearchPlan,
): Promise<Map<string, string[]>> {
  const search = app.get(LocalSearch, { strict: false });
  const rankings = new Map<string, string[]>();
  for (const { id, text } of queries) {
    const { passages } = await search.search({ corpusId: CORPUS, text, topK: DEPTH, plan, reader: 'system' });
    rankings.set(id, documentRanking(passages.map(({ documentId }) => ids.get(documentId ?? '') ?? '')));
  }
  return rankings;
}
