import { Global, Module, type OnApplicationShutdown } from '@nestjs/common';
import { AuthenticationWatch } from '../features/auth/index.js';
import { NO_HOLDS, RetentionHolds } from '../features/audit/index.js';
import { BillingEndpoint, BillingEvents, BillingModule } from '../features/billing/index.js';
import { CorpusContents, CorpusPlacement } from '../features/corpora/index.js';
import { IdempotencyModule } from '../features/idempotency/index.js';
import { DocumentsOfCorpus, IngestionModule } from '../features/ingestion/index.js';
import { PlanEvents } from '../features/plans/index.js';
import { MAINTENANCE_TASKS } from '../features/ops/index.js';
import { PlacesOutside } from '../features/residency/index.js';
import { KeyChanges } from '../features/provider-keys/index.js';
import { BaselinePolicies, Groups, NO_GROUPS, RbacAbacModule } from '../features/rbac-abac/index.js';
import { QuotaEvents, QuotasModule } from '../features/quotas/index.js';
import { AddressThrottle, RateLimitsModule } from '../features/rate-limits/index.js';
import { TenantSetup } from '../features/tenants/index.js';
import { AttachedKeys, PinnedAttachments, VectorDbPlacement, VectorDbsModule } from '../features/vector-dbs/index.js';
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
import { WebhookEndpoints } from '../platform/webhooks/index.js';
import { maintenanceTasks } from './maintenance-tasks.js';

/** Binds ports that the kernel or a lower feature declares to what implements them. */
@Global()
@Module({
  imports: [
    IdempotencyModule,
    IngestionModule,
    QuotasModule,
    RateLimitsModule,
    RbacAbacModule,
    BillingModule,
    VectorDbsModule,
  ],
  providers: [
    { provide: AuthenticationWatch, useExisting: AddressThrottle },
    { provide: CorpusContents, useExisting: DocumentsOfCorpus },
    { provide: CorpusPlacement, useExisting: VectorDbPlacement },
    { provide: Groups, useValue: NO_GROUPS },
    maintenanceTasks,
    { provide: PlacesOutside, useExisting: PinnedAttachments },
    { provide: KeyChanges, useExisting: AttachedKeys },
    { provide: PlanEvents, useExisting: BillingEvents },
    { provide: QuotaEvents, useExisting: BillingEvents },
    { provide: RetentionHolds, useValue: NO_HOLDS },
    { provide: TenantSetup, useExisting: BaselinePolicies },
    { provide: WebhookEndpoints, useExisting: BillingEndpoint },
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
  exports: [
    AuthenticationWatch,
    CorpusContents,
    CorpusPlacement,
    Groups,
    Jobs,
    KeyChanges,
    MAINTENANCE_TASKS,
    OutboxRepository,
    PlacesOutside,
    PlanEvents,
    QuotaEvents,
    Relay,
    RetentionHolds,
    TenantSetup,
    WebhookEndpoints,
  ],
})
export class BindingsModule implements OnApplicationShutdown {
  constructor(private readonly relay: Relay) {}

  /** What was not delivered yet stays in the outbox. After the last request, and what it enqueued. */
  async onApplicationShutdown(): Promise<void> {
    await this.relay.close();
  }
}
