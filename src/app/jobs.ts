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
import { UsagePruning } from '../features/quotas/index.js';
import { GrantPruning } from '../features/rbac-abac/index.js';
import { AbandonedGenerations, ReembedHandler, reembedJob } from '../features/retrieval/index.js';
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
  registry.register(webhookJob, app.get(WebhookDeliveryHandler, { strict: false }), {
    concurrency: settings.get(webhookSettings).concurrency,
  });
  return registry;
}

/** Makes this process run jobs, and the maintenance that comes with them. */
export async function startJobs(app: INestApplicationContext, infrastructure: Infrastructure): Promise<RunningJobs> {
  const { clock, database, ids, logger, queue, settings, uow } = infrastructure;
  const jobs = settings.get(jobsSettings);
  const outbox = app.get(OutboxRepository, { strict: false });
  const relay = app.get(Relay, { strict: false });
  const runner = new JobRunner(
    jobRegistry(app, infrastructure),
    queue,
    { outbox, uow, wake: (name, at) => relay.wake(name, at), clock, ids, log: logger },
    { leaseMs: database.embedded ? EMBEDDED_LEASE_MS : jobs.leaseSeconds * 1000 },
  );
  if (database.embedded) await outbox.recover(clock.now());
  await runner.start();
  const reaper = app.get(IngestReaper, { strict: false });
  const recurring = new Recurring(clock, logger);
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
  const keys = app.get(IdempotencyKeys, { strict: false });
  recurring.every('expired idempotency records', HOUR_MS, () => keys.prune());
  const webhooks = app.get(Webhooks, { strict: false });
  const { keepDays } = settings.get(webhookSettings);
  recurring.every('old webhook deliveries', HOUR_MS, () => webhooks.prune(keepDays * 24 * HOUR_MS));
  void relay.sweep();
  return {
    stop: async () => {
      await recurring.stop();
      await runner.drain(JOBS_DRAIN_MS);
    },
  };
}
