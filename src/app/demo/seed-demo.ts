import { isAppError } from '../../kernel/errors.js';
import { runInContext, systemContext } from '../../kernel/context.js';
import { DEMO_DOCUMENTS, demoText, type DemoDocument } from './demo-documents.js';

export const DEMO_TENANT = 't1';
export const DEMO_CORPUS = 'c1';
/** Whoever tries the product tries all of it. */
const DEMO_PLAN = 'enterprise';

/** What seeding needs of the application. */
export interface DemoTarget {
  ensureTenant(id: string): Promise<void>;
  /** Puts the context's tenant on the plan unless it was ever on one. */
  startOnPlan(planId: string): Promise<void>;
  /** @throws NOT_FOUND */
  corpus(id: string): Promise<unknown>;
  createCorpus(request: { id: string; name: string; providerConfig: unknown }): Promise<unknown>;
  /** Chunks that can be searched now, in a corpus of the context's tenant. */
  countChunks(corpusId: string): Promise<number>;
  /** Makes the document searchable before it returns, replacing one of the same id. */
  ingest(corpusId: string, document: DemoDocument, text: string): Promise<void>;
  /** Lets everybody of the tenant read a document of the system, and admins do all with it, unless it has grants. */
  share(documentId: string): Promise<void>;
  requestId(): string;
}

export interface Seeded {
  readonly tenantId: string;
  readonly corpusId: string;
  /** False when the corpus had chunks already and was left as it was. */
  readonly seeded: boolean;
  readonly documents: number;
  readonly chunks: number;
}

/**
 * Gives the demo tenant its plan unless it ever had one, and the demo corpus with its documents unless that corpus has
 * chunks, whosever they are. Documents that were seeded before there were grants get them, too.
 */
export async function seedDemo(target: DemoTarget): Promise<Seeded> {
  const place = { tenantId: DEMO_TENANT, corpusId: DEMO_CORPUS, documents: DEMO_DOCUMENTS.length };
  await target.ensureTenant(DEMO_TENANT);
  return runInContext(systemContext(target.requestId(), DEMO_TENANT), async () => {
    await target.startOnPlan(DEMO_PLAN);
    const present = await target.countChunks(DEMO_CORPUS);
    if (present === 0) {
      await ensureCorpus(target);
      for (const document of DEMO_DOCUMENTS) await target.ingest(DEMO_CORPUS, document, demoText(document));
    }
    for (const { id } of DEMO_DOCUMENTS) await target.share(id);
    return { ...place, seeded: present === 0, chunks: await target.countChunks(DEMO_CORPUS) };
  });
}

async function ensureCorpus(target: DemoTarget): Promise<void> {
  try {
    await target.corpus(DEMO_CORPUS);
  } catch (error) {
    if (!isAppError(error, 'NOT_FOUND')) throw error;
    const providerConfig = { retrieval: { provider: 'local_pgvector', top_k_default: 5 } };
    await target.createCorpus({ id: DEMO_CORPUS, name: 'Demo Corpus', providerConfig });
  }
}
