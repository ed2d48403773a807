import { resolve } from 'node:path';
import type { Logger } from 'pino';
import { MIGRATIONS } from '../../migrations/index.js';
import { ingestJob, ingestionSettings } from '../features/ingestion/index.js';
import { runSettings } from '../features/run/index.js';
import { Ids, SystemIds } from '../kernel/ids.js';
import type { Settings } from '../kernel/settings.js';
import { Clock, SystemClock } from '../kernel/time.js';
import { blobStoreSettings, BlobStore, createBlobStore } from '../platform/blob-store/index.js';
import { dbSettings, openDatabase, UnitOfWork, type OpenDatabase } from '../platform/db/index.js';
import { DocumentParser, documentParserSettings, ProcessDocumentParser } from '../platform/document-parser/index.js';
import {
  ChatModel,
  createChatModel,
  createEmbeddingModel,
  createReranker,
  EmbeddingModel,
  modelSettings,
  Reranker,
} from '../platform/model-gateway/index.js';
import { createQueue, DeliveryQueue } from '../platform/jobs/index.js';
import {
  AppendLogs,
  createAppendLogs,
  createSharedState,
  SharedState,
  sharedStateSettings,
} from '../platform/shared-state/index.js';
import { createLogger, telemetrySettings } from '../platform/telemetry/index.js';
import { ENTITIES } from './catalogue.js';

/** Everything that reaches outside the process. The same for the API, a worker and a command; tests replace parts. */
export interface Infrastructure {
  readonly settings: Settings;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly logger: Logger;
  readonly database: OpenDatabase;
  readonly uow: UnitOfWork;
  readonly state: SharedState;
  readonly appendLogs: AppendLogs;
  readonly queue: DeliveryQueue;
  readonly blobs: BlobStore;
  readonly parser: DocumentParser;
  readonly chat: ChatModel;
  readonly embeddings: EmbeddingModel;
  readonly reranker: Reranker;
  /** Closes in reverse order of opening. */
  close(): Promise<void>;
}

export type Replacements = Partial<Omit<Infrastructure, 'settings' | 'close' | 'uow'>>;

/** Opens what the settings name. Databases and Redis are reached here; model providers only when first used. */
export async function openInfrastructure(settings: Settings, replace: Replacements = {}): Promise<Infrastructure> {
  const db = settings.get(dbSettings);
  const clock = replace.clock ?? new SystemClock();
  const ids = replace.ids ?? new SystemIds();
  const logger = replace.logger ?? createLogger(settings.get(telemetrySettings));
  const database = replace.database ?? (await openDatabase(db, { entities: ENTITIES, migrations: MIGRATIONS }));
  const state = replace.state ?? createSharedState(settings.get(sharedStateSettings), clock, logger);
  const logBytes = settings.get(runSettings).resumeMaxMb * 1024 * 1024;
  const appendLogs =
    replace.appendLogs ?? createAppendLogs(settings.get(sharedStateSettings), clock, logger, state, logBytes);
  const queue =
    replace.queue ??
    createQueue(settings.get(sharedStateSettings), clock, logger, {
      [ingestJob.name]: settings.get(ingestionSettings).queueName,
    });
  return {
    settings,
    clock,
    ids,
    logger,
    database,
    uow: new UnitOfWork(database.dataSource),
    state,
    appendLogs,
    queue,
    blobs: replace.blobs ?? createBlobStore(settings.get(blobStoreSettings), resolve(db.dataDir)),
    parser: replace.parser ?? new ProcessDocumentParser(settings.get(documentParserSettings), clock),
    chat: replace.chat ?? createChatModel(settings.get(modelSettings), clock, ids),
    embeddings: replace.embeddings ?? createEmbeddingModel(settings.get(modelSettings), clock, ids),
    reranker: replace.reranker ?? createReranker(settings.get(modelSettings), clock, ids),
    close: async () => {
      await queue.close();
      await appendLogs.close();
      await state.close();
      await database.close();
    },
  };
}
