/** The ingestion feature over a database, with stand-ins for the queue, the blob store, the model and the audit trail. */
import { afterAll, beforeAll, beforeEach } from '@jest/globals';
import { Global, Module } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import { testDatabase, type TestDatabase } from '../harness/database.js';
import { AuditTrail, type AuditEntry } from '../../src/kernel/audit.js';
import { runInContext } from '../../src/kernel/context.js';
import { isAppError } from '../../src/kernel/errors.js';
import { Ids, SystemIds } from '../../src/kernel/ids.js';
import { Jobs, type JobRun, type JobSpec } from '../../src/kernel/jobs.js';
import { Log, silentLog } from '../../src/kernel/log.js';
import { loadSettings } from '../../src/kernel/settings.js';
import { Clock, SystemClock } from '../../src/kernel/time.js';
import { BlobStore } from '../../src/platform/blob-store/index.js';
import { UnitOfWork } from '../../src/platform/db/index.js';
import { jobsErrors } from '../../src/platform/jobs/index.js';
import { DocumentParser, type ParsedFile } from '../../src/platform/document-parser/index.js';
import {
  EMBED_DIM,
  EmbeddingModel,
  EmbeddingModels,
  type EmbeddingVector,
  modelSettings,
  NoReranker,
  Reranker,
} from '../../src/platform/model-gateway/index.js';
import { createSharedState, SharedState, sharedStateSettings } from '../../src/platform/shared-state/index.js';
import { Corpora, CorpusContents, CorpusPlacement } from '../../src/features/corpora/index.js';
import { AuthenticationWatch, authSettings } from '../../src/features/auth/index.js';
import { PlanEvents, plansSettings } from '../../src/features/plans/index.js';
import { KeyChanges, providerKeysSettings } from '../../src/features/provider-keys/index.js';
import { Groups, NO_GROUPS, rbacAbacSettings } from '../../src/features/rbac-abac/index.js';
import { PlacesOutside, residencySettings } from '../../src/features/residency/index.js';
import { retrievalSettings } from '../../src/features/retrieval/index.js';
import { Tenants, TenantSetup } from '../../src/features/tenants/index.js';
import { vectorDbsSettings } from '../../src/features/vector-dbs/index.js';
import { AcceptDocument, type Accepted } from '../../src/features/ingestion/application/accept-document.js';
import { DeleteDocument } from '../../src/features/ingestion/application/delete-document.js';
import { Documents } from '../../src/features/ingestion/application/documents.js';
import { DocumentsOfCorpus } from '../../src/features/ingestion/application/documents-of-corpus.js';
import { ReindexDocument } from '../../src/features/ingestion/application/reindex-document.js';
import { Submissions, type TextRequest } from '../../src/features/ingestion/application/submissions.js';
import { ingestJobOf, type IngestPayload } from '../../src/features/ingestion/ingestion.jobs.js';
import { IngestionModule } from '../../src/features/ingestion/ingestion.module.js';
import { ingestionSettings } from '../../src/features/ingestion/ingestion.settings.js';
import { IngestHandler } from '../../src/features/ingestion/jobs/ingest.handler.js';
import { SourceRemovalHandler } from '../../src/features/ingestion/jobs/source-removal.handler.js';

const ids = new SystemIds();

/** Writes outbox rows like the real one; the tests deliver them. */
class OutboxRows extends Jobs {
  depthOrFailure: number | 'away' = 0;
  uow!: UnitOfWork;

  async enqueue<P>(spec: JobSpec<P>, payload: P, options: { id?: string } = {}): Promise<string> {
    const id = options.id ?? ids.uuid();
    await this.uow.execute(
      `INSERT INTO outbox_jobs (tenant_id, id, name, payload, context) VALUES ($1, $2, $3, $4, '{}')`,
      [this.uow.tenantId, id, spec.name, JSON.stringify(payload)],
    );
    return id;
  }
  depth(): Promise<number> {
    return this.depthOrFailure === 'away'
      ? Promise.reject(jobsErrors.QUEUE_UNAVAILABLE())
      : Promise.resolve(this.depthOrFailure);
  }
}

class MemoryBlobs extends BlobStore {
  readonly blobs = new Map<string, Uint8Array>();
  beforeDelete: () => Promise<void> = async () => undefined;
  async put(key: string, bytes: Uint8Array): Promise<void> {
    this.blobs.set(key, bytes.slice());
  }
  async get(key: string): Promise<Uint8Array | undefined> {
    return this.blobs.get(key);
  }
  async delete(key: string): Promise<void> {
    await this.beforeDelete();
    this.blobs.delete(key);
  }
  async ping(): Promise<void> {}
}

class ScriptedEmbeddings extends EmbeddingModel {
  readonly id = 'scripted';
  before: (signal?: AbortSignal) => Promise<void> = async () => undefined;
  async embed(texts: readonly string[], _kind: 'document' | 'query', signal?: AbortSignal): Promise<EmbeddingVector[]> {
    await this.before(signal);
    return texts.map(() => [1, ...new Array<number>(EMBED_DIM - 1).fill(0)]);
  }
}

/** Takes the bytes of a file for its text. */
class ScriptedParser extends DocumentParser {
  calls = 0;
  before: () => Promise<void> = async () => undefined;
  async parse({ bytes }: ParsedFile): Promise<string> {
    this.calls += 1;
    await this.before();
    return Buffer.from(bytes).toString('utf8');
  }
}

class TestClock extends SystemClock {
  skippedMs = 0;
  onSleep: () => void = () => undefined;
  override monotonic(): number {
    return super.monotonic() + this.skippedMs;
  }
  override sleep(ms: number, signal?: AbortSignal): Promise<void> {
    this.onSleep();
    return super.sleep(ms, signal);
  }
}

class RecordedAudit extends AuditTrail {
  entries: AuditEntry[] = [];
  uow!: UnitOfWork;
  async record(entry: AuditEntry): Promise<void> {
    if (!this.uow.inTransaction) throw new Error('outside a transaction');
    this.entries.push(entry);
  }
  note(): void {}
}

export const jobs = new OutboxRows();
export const blobs = new MemoryBlobs();
export const embeddings = new ScriptedEmbeddings();
/** What the installation is configured with, and what it can call. */
export const models: { current: EmbeddingModel; of: (id: string) => EmbeddingModel } = {
  current: embeddings,
  of: () => embeddings,
};
export const audit = new RecordedAudit();
export const parser = new ScriptedParser();
export const clock = new TestClock();
const settings = loadSettings({ INGEST_MAX_CHUNKS: '50', CHUNKER: 'v1', AUTHZ_DEFAULT_DENY: 'false' }, [
  ingestionSettings,
  retrievalSettings,
  authSettings,
  plansSettings,
  modelSettings,
  providerKeysSettings,
  vectorDbsSettings,
  rbacAbacSettings,
  residencySettings,
  sharedStateSettings,
]);

let db: TestDatabase;
let app: TestingModule;

/** The tenant and the corpus that the calls below work on; new ones for each test. */
export const current = { tenantId: '', corpusId: '' };

/** An instance of the feature's own wiring. */
export function the<T>(type: new (...parts: never[]) => T): T {
  return app.get<T>(type);
}

export const transaction = <T>(work: () => Promise<T>): Promise<T> => inTenant(() => db.uow.run(work));

/** Statements that only the owner of the tables may run, such as ANALYZE. */
export const asOwner = (sql: string): Promise<unknown> =>
  db.dataSource.query(`BEGIN; SET LOCAL ROLE NONE; ${sql}; COMMIT`);

/** Registers the hooks: one database and one wiring of the feature for the file. */
export function useIngestion(): void {
  beforeAll(open);
  afterAll(shut);
  beforeEach(reset);
}

/** Makes another tenant with an empty corpus the current one. */
export async function newTenant(): Promise<void> {
  current.tenantId = `t-${ids.opaque()}`;
  await the(Tenants).ensure(current.tenantId);
  current.corpusId = await newCorpus('Corpus');
}

export const newCorpus = (name: string): Promise<string> =>
  inTenant(async () => (await the(Corpora).create({ name })).id);

async function open(): Promise<void> {
  db = await testDatabase();
  jobs.uow = db.uow;
  audit.uow = db.uow;
  const provided = [
    { provide: UnitOfWork, useValue: db.uow },
    { provide: ingestionSettings.token, useValue: settings.get(ingestionSettings) },
    { provide: retrievalSettings.token, useValue: settings.get(retrievalSettings) },
    { provide: Clock, useValue: clock },
    { provide: Ids, useValue: ids },
    { provide: Log, useValue: silentLog },
    { provide: Jobs, useValue: jobs },
    { provide: BlobStore, useValue: blobs },
    { provide: DocumentParser, useValue: parser },
    { provide: EmbeddingModels, useValue: models },
    { provide: Reranker, useValue: new NoReranker() },
    { provide: AuditTrail, useValue: audit },
    { provide: AuthenticationWatch, useValue: {} },
    { provide: authSettings.token, useValue: settings.get(authSettings) },
    { provide: plansSettings.token, useValue: settings.get(plansSettings) },
    { provide: SharedState, useValue: createSharedState(settings.get(sharedStateSettings), clock, silentLog) },
    { provide: rbacAbacSettings.token, useValue: settings.get(rbacAbacSettings) },
    { provide: residencySettings.token, useValue: settings.get(residencySettings) },
    { provide: Groups, useValue: NO_GROUPS },
    { provide: TenantSetup, useValue: { prepare: () => Promise.resolve() } },
    { provide: PlanEvents, useValue: { upgradeRequested: () => Promise.resolve() } },
    { provide: CorpusContents, useExisting: DocumentsOfCorpus },
    {
      provide: CorpusPlacement,
      useValue: {
        require: () => Promise.resolve(),
        requireDetached: () => Promise.resolve(),
        corpusDeleted: () => Promise.resolve(),
      },
    },
    { provide: KeyChanges, useValue: { revoked: () => Promise.resolve(), changed: () => undefined } },
    { provide: providerKeysSettings.token, useValue: settings.get(providerKeysSettings) },
    { provide: PlacesOutside, useValue: { found: () => Promise.resolve([]) } },
    { provide: modelSettings.token, useValue: settings.get(modelSettings) },
    { provide: vectorDbsSettings.token, useValue: settings.get(vectorDbsSettings) },
  ];
  @Global()
  @Module({
    imports: [IngestionModule],
    providers: provided,
    exports: provided.map(({ provide }) => provide),
  })
  class Bindings {}
  app = await Test.createTestingModule({ imports: [Bindings, IngestionModule] }).compile();
}

async function shut(): Promise<void> {
  await app.close();
  await db.close();
}

async function reset(): Promise<void> {
  jobs.depthOrFailure = 0;
  clock.onSleep = () => undefined;
  embeddings.before = async () => undefined;
  Object.assign(models, { current: embeddings, of: () => embeddings });
  blobs.beforeDelete = async () => undefined;
  parser.before = async () => undefined;
  parser.calls = 0;
  audit.entries = [];
  await newTenant();
}

export function inTenant<T>(work: () => Promise<T>): Promise<T> {
  const principal = {
    subjectId: 'user-1',
    tenantId: current.tenantId,
    role: 'editor',
    apiKeyId: 'key-1',
    authMethod: 'api_key',
    subjectType: 'user',
  } as const;
  return runInContext({ requestId: 'r1', tenantId: current.tenantId, principal, trail: [] }, work);
}

export function accept(request: Partial<TextRequest> = {}): Promise<Accepted> {
  const submission = the(Submissions).ofText({
    corpusId: current.corpusId,
    text: 'Hello',
    overwrite: false,
    ...request,
  });
  return inTenant(() => the(AcceptDocument).accept(submission));
}

export const reindex = (id: string, request = {}): Promise<Accepted> =>
  inTenant(() => the(ReindexDocument).reindex(id, request));
export const remove = (id: string): Promise<void> => inTenant(() => the(DeleteDocument).delete(id));
export const get = (id: string): ReturnType<Documents['get']> => inTenant(() => the(Documents).get(id));
export const rows = <T extends object>(sql: string, ...values: unknown[]): Promise<T[]> =>
  transaction(() => db.uow.rows<T>(sql, [current.tenantId, ...values]));

export const chunksOf = (id: string): Promise<{ text: string; generation: number; uri: string; metadata: object }[]> =>
  rows(
    `SELECT text, generation, document_uri AS uri, metadata_json AS metadata FROM chunks
      WHERE tenant_id = $1 AND document_id = $2 ORDER BY chunk_index`,
    id,
  );
export const outbox = (name: string): Promise<{ id: string; payload: IngestPayload & { keys: string[] } }[]> =>
  rows(`SELECT id, payload FROM outbox_jobs WHERE tenant_id = $1 AND name = $2 AND state = 'pending'`, name);
export const close = (id: string, state: 'done' | 'dead'): Promise<object[]> =>
  rows(`UPDATE outbox_jobs SET state = $3 WHERE tenant_id = $1 AND id = $2`, id, state);

export function jobRun(id: string, payload: IngestPayload, attempt = 1, signal = new AbortController().signal): Run {
  return { id, tenantId: current.tenantId, payload, attempt, lastAttempt: attempt === 3, signal };
}
type Run = JobRun<IngestPayload>;

/** Does what a worker does with the pending ingestions. */
export async function work(): Promise<void> {
  const { attempts, permanent } = ingestJobOf(settings.get(ingestionSettings));
  for (const { id, payload } of await outbox('ingest')) {
    for (let attempt = 1; ; attempt += 1) {
      const run = jobRun(id, payload, attempt);
      try {
        await inTenant(() => the(IngestHandler).run(run));
        await close(id, 'done');
        break;
      } catch (error) {
        if (attempt < attempts && permanent?.(error) !== true) continue;
        await transaction(() => the(IngestHandler).failed(run, error));
        await close(id, 'dead');
        break;
      }
    }
  }
}

export async function removeSources(): Promise<void> {
  for (const { id, payload } of await outbox('document-source-removal')) {
    const run = { ...jobRun(id, payload), payload };
    await inTenant(() => the(SourceRemovalHandler).run(run));
    await close(id, 'done');
  }
}

export const storedTexts = (): string[] =>
  [...blobs.blobs.entries()]
    .filter(([key]) => key.startsWith(`tenants/${current.tenantId}/`))
    .map(([, bytes]) => Buffer.from(bytes).toString());

export const code = async (promise: Promise<unknown>): Promise<string> => {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return isAppError(error) ? error.code : String(error);
};

export const events = (): string[] =>
  audit.entries.map(({ event }) => event).filter((event) => event.startsWith('documents'));
