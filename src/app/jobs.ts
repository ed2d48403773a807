import type { INestApplicationContext } from '@nestjs/common';
import { IdempotencyKeys } from '../features/idempotency/index.js';
import { AuditRetention, AuditSealing, auditSettings } from '../features/audit/index.js';
import {
  IngestHandler,
  ingestionSettings,
  ingestJobOf,
  IngestReaper,
  sourceRemovalJob,
  SourceRemovalHandler,
} from '../features/ingestion/index.js';
import { ReceiptChain, ReceiptRetention, receiptsSettings } from '../features/receipts/index.js';
import { UsagePruning } from '../features/quotas/index.js';
import { providerKeysSettings, RotationSla } from '../features/provider-keys/index.js';
import { GrantPruning } from '../features/rbac-abac/index.js';
import { ResidencyGate } from '../features/residency/index.js';
import { AbandonedGenerations, ReembedHandler, reembedJob } from '../features/retrieval/index.js';
import { KeptArchives, moveJob, MoveHandler } from '../features/tenant-moves/index.js';
import {
  JobRegistry,
  JobRunner,
  jobsSettings,
  OutboxRepository,
  pruneJobs,
  Recurring,
  Relay,
} from '../platform/jobs/index.js';
import { WebhookDeliveryHandler, webhookJob, Webhooks, webhookSettings } from '../platform/webhooks/index.js';
import type { Infrastructure } from './infrastructure.js';

const HOUR_MS = 3_600_000;
/**
 * The embedded database has one connection, and storing a large document holds it for a while, in which no lease can
 * be renewed. No other process could take the job over anyway; after a crash the next start gives it back.
 */
const EMBEDDED_LEASE_MS = HOUR_MS;
const REAP_EVERY_MS = 60_000;
/** Jobs that only delete what is left over here: they run for tenants that are served elsewhere, too. */
const ANYWHERE = [sourceRemovalJob.name];
const CHAIN_EVERY_MS = 10_000;
/** How long a stopping process lets its jobs finish. */
export const JOBS_DRAIN_MS = 15_000;

export interface RunningJobs {
  /** Takes no more jobs and waits for those that run; what does not end in time is given back to other workers. */
  stop(): Promise<void>;
}

/** Who handles which job, and how many at a time. */
export function jobRegistry(app: INestApplicationContext, { settings }: Infrastructure): JobRegistry {
  const ingestion = settings.get(ingestionSettings);
  const registry = new JobRegistry();
  registry.register(ingestJobOf(ingestion), app.get(IngestHandler, { strict: false }), {
    concurrency: ingestion.maxConcurrency,
  });
  registry.register(reembedJob, app.get(ReembedHandler, { strict: false }), { concurrency: 1 });
  registry.register(sourceRemovalJob, app.get(SourceRemovalHandler, { strict: false }), { concurrency: 1 });
  registry.register(moveJob, app.get(MoveHandler, { strict: false }), { concurrency: 1 });
  registry.register(webhookJob, app.get(WebhookDeliveryHandler, { strict: false }), {
    concurrency: settings.get(webhookSettings).concurrency,
  });
  return registry;
}

/**
 * Makes this process run jobs, and the maintenance that comes with them. What works on the content of a tenant is a job,
 * which residency refuses where its tenant is not served. Maintenance sends nothing anywhere: it ends, seals and deletes
 * what is stored here, for every tenant.
 */
export async function startJobs(app: INestApplicationContext, infrastructure: Infrastructure): Promise<RunningJobs> {
  const { clock, database, ids, logger, queue, settings, uow } = infrastructure;
  const jobs = settings.get(jobsSettings);
  const outbox = app.get(OutboxRepository, { strict: false });
  const relay = app.get(Relay, { strict: false });
  const gate = app.get(ResidencyGate, { strict: false });
  const runner = new JobRunner(
    jobRegistry(app, infrastructure),
    queue,
    {
      outbox,
      uow,
      wake: (name, at) => relay.wake(name, at),
      refusal: async ({ name, tenantId }) => (ANYWHERE.includes(name) ? undefined : gate.refusal(tenantId)),
      clock,
      ids,
      log: logger,
    },
    { leaseMs: database.embedded ? EMBEDDED_LEASE_MS : jobs.leaseSeconds * 1000 },
  );
  if (database.embedded) await outbox.recover(clock.now());
  await runner.start();
  const recurring = maintenance(app, infrastructure);
  void relay.sweep();
  return {
    stop: async () => {
      await recurring.stop();
      await runner.drain(JOBS_DRAIN_MS);
    },
  };
}

/** What is done for all tenants now and again. */
function maintenance(app: INestApplicationContext, { clock, logger, settings }: Infrastructure): Recurring {
  const jobs = settings.get(jobsSettings);
  const recurring = new Recurring(clock, logger);
  const outbox = app.get(OutboxRepository, { strict: false });
  const relay = app.get(Relay, { strict: false });
  const reaper = app.get(IngestReaper, { strict: false });
  recurring.every('relay sweep', jobs.sweepIntervalMs, () => relay.sweep());
  recurring.every('stalled documents', REAP_EVERY_MS, () => reaper.sweep());
  const abandoned = app.get(AbandonedGenerations, { strict: false });
  recurring.every('abandoned generations', REAP_EVERY_MS, () => abandoned.sweep());
  const usage = app.get(UsagePruning, { strict: false });
  recurring.every('old usage', HOUR_MS, () => usage.sweep());
  const grants = app.get(GrantPruning, { strict: false });
  recurring.every('expired permissions', HOUR_MS, () => grants.sweep());
  const sealing = app.get(AuditSealing, { strict: false });
  recurring.every('audit seals', settings.get(auditSettings).sealIntervalSeconds * 1000, () => sealing.run());
  const retention = app.get(AuditRetention, { strict: false });
  recurring.every('audit retention', HOUR_MS, () => retention.prune());
  recurring.every('finished jobs', HOUR_MS, () =>
    pruneJobs(outbox, clock, {
      keepDoneMs: jobs.keepDoneHours * HOUR_MS,
      keepDeadMs: jobs.keepDeadDays * 24 * HOUR_MS,
    }),
  );
  const chain = app.get(ReceiptChain, { strict: false });
  recurring.every('receipt chains', CHAIN_EVERY_MS, () => chain.extend());
  recurring.every('checks of receipt chains', CHAIN_EVERY_MS, () => chain.check());
  const receipts = app.get(ReceiptRetention, { strict: false });
  recurring.every('old receipts', settings.get(receiptsSettings).retentionScanSeconds * 1000, () => receipts.sweep());
  const archives = app.get(KeptArchives, { strict: false });
  recurring.every('old archives of tenants', HOUR_MS, () => archives.sweep());
  const keys = app.get(IdempotencyKeys, { strict: false });
  recurring.every('expired idempotency records', HOUR_MS, () => keys.prune());
  const webhooks = app.get(Webhooks, { strict: false });
  const { keepDays } = settings.get(webhookSettings);
  recurring.every('old webhook deliveries', HOUR_MS, () => webhooks.prune(keepDays * 24 * HOUR_MS));
  const rotations = app.get(RotationSla, { strict: false });
  const { rotationScanSeconds } = settings.get(providerKeysSettings);
  recurring.every('key rotations', rotationScanSeconds * 1000, () => rotations.scan());
  return recurring;
}
