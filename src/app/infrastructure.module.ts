import { Global, Module, type DynamicModule } from '@nestjs/common';
import { Ids } from '../kernel/ids.js';
import { Log } from '../kernel/log.js';
import { Clock } from '../kernel/time.js';
import { BlobStore } from '../platform/blob-store/index.js';
import { SecretBox } from '../platform/crypto/index.js';
import { UnitOfWork } from '../platform/db/index.js';
import { DeliveryQueue } from '../platform/jobs/index.js';
import { DocumentParser } from '../platform/document-parser/index.js';
import { Egress } from '../platform/http-egress/index.js';
import {
  ChatModel,
  EmbeddingModel,
  EmbeddingModels,
  modelSettings,
  Reranker,
} from '../platform/model-gateway/index.js';
import { AppendLogs, SharedState, TrafficGate } from '../platform/shared-state/index.js';
import { SETTINGS } from './catalogue.js';
import type { Infrastructure } from './infrastructure.js';

/** Offers the opened infrastructure under its ports, and each settings group under its token. */
@Global()
@Module({})
export class InfrastructureModule {
  static of(infrastructure: Infrastructure): DynamicModule {
    const providers = [
      ...SETTINGS.map((group) => ({ provide: group.token, useValue: infrastructure.settings.get(group) })),
      { provide: Clock, useValue: infrastructure.clock },
      { provide: Ids, useValue: infrastructure.ids },
      { provide: Log, useValue: infrastructure.logger },
      { provide: UnitOfWork, useValue: infrastructure.uow },
      { provide: SecretBox, useValue: infrastructure.secrets },
      { provide: SharedState, useValue: infrastructure.state },
      { provide: AppendLogs, useValue: infrastructure.appendLogs },
      { provide: TrafficGate, useValue: infrastructure.gate },
      { provide: DeliveryQueue, useValue: infrastructure.queue },
      { provide: BlobStore, useValue: infrastructure.blobs },
      { provide: DocumentParser, useValue: infrastructure.parser },
      { provide: ChatModel, useValue: infrastructure.chat },
      { provide: EmbeddingModel, useValue: infrastructure.embeddings },
      { provide: EmbeddingModels, useValue: embeddingModels(infrastructure) },
      { provide: Reranker, useValue: infrastructure.reranker },
      { provide: Egress, useValue: infrastructure.egress },
    ];
    return { module: InfrastructureModule, providers, exports: providers.map(({ provide }) => provide) };
  }
}

function embeddingModels({ embeddings, settings, clock, ids }: Infrastructure): EmbeddingModels {
  return new EmbeddingModels(embeddings, settings.get(modelSettings), clock, ids);
}
