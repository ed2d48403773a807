import { resolve } from 'node:path';
import type { Logger } from 'pino';
import { MIGRATIONS } from '../../migrations/index.js';
import { ingestJob, ingestionSettings } from '../features/ingestion/index.js';
import { runSettings } from '../features/run/index.js';
import { Ids, SystemIds } from '../kernel/ids.js';
import type { Settings } from '../kernel/settings.js';
import { Clock, SystemClock } from '../kernel/time.js';
import { blobStoreSettings, BlobStore, createBlobStore } from '../platform/blob-store/index.js';
import { cryptoSettings, masterKey, SecretBox } from '../platform/crypto/index.js';
import { DataFolder, dbSettings, openDatabase, UnitOfWork, type OpenDatabase } from '../platform/db/index.js';
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
import { Egress, egressPolicy, httpEgressSettings } from '../platform/http-egress/index.js';
import { createQueue, DeliveryQueue } from '../platform/jobs/index.js';
import {
  AppendLogs,
  createAppendLogs,
  createSharedState,
  createTrafficGate,
  SharedState,
  sharedStateSettings,
  TrafficGate,
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
  readonly secrets: SecretBox;
  readonly state: SharedState;
  readonly appendLogs: AppendLogs;
  readonly gate: TrafficGate;
  readonly queue: DeliveryQueue;
  readonly blobs: BlobStore;
  readonly parser: DocumentParser;
  readonly chat: ChatModel;
  readonly embeddings: EmbeddingModel;
  readonly reranker: Reranker;
  readonly egress: Egress;
  /** Closes in reverse order of opening. */
  close(): Promise<void>;
}

export type Replacements = Partial<Omit<Infrastructure, 'settings' | 'close' | 'uow' | 'secrets' | 'egress'>>;

/** Opens what the settings name. Databases and Redis are reached here; model providers only when first used. */
export async function openInfrastructure(settings: Settings, replace: Replacements = {}): Promise<Infrastructure> {
  const db = settings.get(dbSettings);
  const clock = replace.clock ?? new SystemClock();
  const ids = replace.ids ?? new SystemIds();
  const logger = replace.logger ?? createLogger(settings.get(telemetrySettings));
  const database = replace.database ?? (await openDatabase(db, { entities: ENTITIES, migrations: MIGRATIONS }));
  const { state, appendLogs, gate } = openSharedStores(settings, clock, logger, replace);
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
    secrets: new SecretBox(() => masterKey(settings.get(cryptoSettings), new DataFolder(db.dataDir).masterKeyPath)),
    state,
    appendLogs,
    gate,
    queue,
    blobs: replace.blobs ?? createBlobStore(settings.get(blobStoreSettings), resolve(db.dataDir)),
    parser: replace.parser ?? new ProcessDocumentParser(settings.get(documentParserSettings), clock),
    chat: replace.chat ?? createChatModel(settings.get(modelSettings), clock, ids),
    embeddings: replace.embeddings ?? createEmbeddingModel(settings.get(modelSettings), clock, ids),
    reranker: replace.reranker ?? createReranker(settings.get(modelSettings), clock, ids),
    egress: new Egress(egressPolicy(settings.get(httpEgressSettings), settings.mode), clock),
    close: async () => {
      await queue.close();
      await gate.close();
      await appendLogs.close();
      await state.close();
      await database.close();
    },
  };
}

/** What processes share: in the Redis that the settings name, or in this process, which is then the only one. */
function openSharedStores(
  settings: Settings,
  clock: Clock,
  logger: Logger,
  replace: Replacements,
): Pick<Infrastructure, 'state' | 'appendLogs' | 'gate'> {
  const shared = settings.get(sharedStateSettings);
  const logBytes = settings.get(runSettings).resumeMaxMb * 1024 * 1024;
  const state = replace.state ?? createSharedState(shared, clock, logger);
  return {
    state,
    appendLogs: replace.appendLogs ?? createAppendLogs(shared, clock, logger, state, logBytes),
    gate: replace.gate ?? createTrafficGate(shared, clock, logger),
  };
}
