import { Global, Module, type OnApplicationShutdown } from '@nestjs/common';
import { CorpusContents } from '../features/corpora/index.js';
import { DocumentsOfCorpus, IngestionModule } from '../features/ingestion/index.js';
import { Ids } from '../kernel/ids.js';
import { Jobs } from '../kernel/jobs.js';
import { Log } from '../kernel/log.js';
import { Clock } from '../kernel/time.js';
import { UnitOfWork } from '../platform/db/index.js';
import {
  DeliveryQueue,
  jobsSettings,
  OutboxJobs,
  type JobsSettings,
  OutboxRepository,
  Relay,
} from '../platform/jobs/index.js';

/** Binds ports that the kernel or a lower feature declares to what implements them. */
@Global()
@Module({
  imports: [IngestionModule],
  providers: [
    { provide: CorpusContents, useExisting: DocumentsOfCorpus },
    { provide: OutboxRepository, inject: [UnitOfWork], useFactory: (uow: UnitOfWork) => new OutboxRepository(uow) },
    {
      provide: Relay,
      inject: [OutboxRepository, DeliveryQueue, Clock, Log, jobsSettings.token],
      useFactory: (outbox: OutboxRepository, queue: DeliveryQueue, clock: Clock, log: Log, settings: JobsSettings) =>
        new Relay(outbox, queue, clock, log, {
          redeliverAfterMs: settings.redeliverAfterSeconds * 1000,
        }),
    },
    {
      provide: Jobs,
      inject: [UnitOfWork, OutboxRepository, Relay, DeliveryQueue, Clock, Ids],
      useFactory: (...parts: ConstructorParameters<typeof OutboxJobs>) => new OutboxJobs(...parts),
    },
  ],
  exports: [CorpusContents, Jobs, OutboxRepository, Relay],
})
export class BindingsModule implements OnApplicationShutdown {
  constructor(private readonly relay: Relay) {}

  /** What was not delivered yet stays in the outbox. After the last request, and what it enqueued. */
  async onApplicationShutdown(): Promise<void> {
    await this.relay.close();
  }
}
