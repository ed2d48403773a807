import { z } from 'zod';
import type { TestDatabase } from './database.js';
import { runInContext, type Context } from '../../src/kernel/context.js';
import { SystemIds } from '../../src/kernel/ids.js';
import { defineJob, type JobHandler, type JobRun } from '../../src/kernel/jobs.js';
import { silentLog } from '../../src/kernel/log.js';
import { ManualClock } from '../../src/kernel/time.js';
import type { AttemptDependencies } from '../../src/platform/jobs/attempt.js';
import { InProcessQueue } from '../../src/platform/jobs/in-process-queue.js';
import { JobRegistry } from '../../src/platform/jobs/job-registry.js';
import { OutboxJobs } from '../../src/platform/jobs/outbox-jobs.js';
import { OutboxRepository } from '../../src/platform/jobs/outbox.repository.js';
import type { Delivery } from '../../src/platform/jobs/queue.js';
import { Relay } from '../../src/platform/jobs/relay.js';
import { JobRunner } from '../../src/platform/jobs/runner.js';

export const LEASE_MS = 60_000;
export const REDELIVER_AFTER_MS = 60_000;
const ids = new SystemIds();

export interface Payload {
  readonly value: number;
}

export class Hopeless extends Error {
  override readonly name = 'Hopeless';
}

export const spec = defineJob<Payload>({
  name: 'test.job',
  description: 'A job of this suite.',
  payload: z.object({ value: z.number() }),
  attempts: 3,
  backoff: { baseMs: 2_000, maxMs: 60_000 },
  permanent: (error) => error instanceof Hopeless,
});

export type Run = JobRun<Payload>;

/** A queue that can be away, or take deliveries and forget them. */
export class FlakyQueue extends InProcessQueue {
  mode: 'works' | 'away' | 'forgets' = 'works';
  override async add(delivery: Delivery): Promise<void> {
    if (this.mode === 'away') throw new Error('The queue is away.');
    if (this.mode === 'works') await super.add(delivery);
  }
}

/** A process with a queue of its own; all processes share the database, the clock and the tenant. */
export class Process {
  readonly queue: FlakyQueue;
  readonly relay: Relay;
  readonly jobs: OutboxJobs;
  readonly runner: JobRunner;
  readonly runs: Run[] = [];
  readonly failures: { run: Run; error: unknown }[] = [];
  work: (run: Run) => Promise<void> = async () => undefined;
  onFailed: () => Promise<void> = async () => undefined;
  refusal: AttemptDependencies['refusal'] = async () => undefined;

  constructor(
    readonly world: World,
    { concurrency = 1 } = {},
  ) {
    const { clock, outbox } = world;
    this.queue = new FlakyQueue();
    this.relay = new Relay(outbox, this.queue, clock, silentLog, { redeliverAfterMs: REDELIVER_AFTER_MS });
    this.jobs = new OutboxJobs(world.db.uow, outbox, this.relay, this.queue, clock, ids);
    const registry = new JobRegistry();
    const handler: JobHandler<Payload> = {
      run: async (run) => {
        this.runs.push(run);
        await this.work(run);
      },
      failed: async (run, error) => {
        this.failures.push({ run, error });
        await this.onFailed();
      },
    };
    registry.register(spec, handler, { concurrency });
    const on: AttemptDependencies = {
      outbox,
      uow: world.db.uow,
      wake: (name, at) => this.relay.wake(name, at),
      refusal: async (job) => this.refusal?.(job),
      clock,
      ids,
      log: silentLog,
    };
    this.runner = new JobRunner(registry, this.queue, on, { leaseMs: LEASE_MS });
    world.processes.push(this);
  }

  enqueue(value = 1, options: { id?: string } = {}): Promise<string> {
    return runInContext(this.world.context(), () =>
      this.world.db.uow.run(() => this.jobs.enqueue(spec, { value }, options)),
    );
  }

  deliver(id: string): Promise<void> {
    return this.runner.deliver({ tenantId: this.world.tenantId, id, name: spec.name, round: '' });
  }
}

export interface Row {
  readonly state: string;
  readonly attempts: number;
  readonly runAt: Date;
  readonly delivered: boolean;
  readonly lockToken: string | null;
  readonly lastError: string | null;
}

/** What the processes of one test share. */
export class World {
  readonly clock = new ManualClock();
  readonly outbox: OutboxRepository;
  readonly tenantId = `t-${ids.uuid()}`;
  readonly processes: Process[] = [];

  private constructor(readonly db: TestDatabase) {
    this.outbox = new OutboxRepository(db.uow);
  }

  /** With a tenant of its own, and without the jobs of earlier tests: a relay delivers those of all tenants. */
  static async open(db: TestDatabase): Promise<World> {
    const world = new World(db);
    await db.uow.acrossTenants('bootstrap', () =>
      db.uow.execute(`INSERT INTO tenants (id, name) VALUES ($1, 'Test')`, [world.tenantId]),
    );
    await db.uow.acrossTenants('outbox', () => db.uow.execute('DELETE FROM outbox_jobs'));
    return world;
  }

  /** After each test: a relay that is still on its way would take jobs of the next test to a queue that nobody reads. */
  async close(): Promise<void> {
    await Promise.all(this.processes.map(({ relay }) => relay.close()));
  }

  context(): Context {
    const principal = {
      subjectId: 'u-1',
      tenantId: this.tenantId,
      role: 'editor',
      apiKeyId: 'k-1',
      authMethod: 'api_key',
      subjectType: 'user',
    } as const;
    return { requestId: 'req-1', traceparent: '00-aa-bb-01', tenantId: this.tenantId, principal, trail: [] };
  }

  async rows(): Promise<Row[]> {
    return this.inTenant(() =>
      this.db.uow.rows<Row>(
        `SELECT state, attempts, run_at AS "runAt", delivered_at IS NOT NULL AS delivered,
                lock_token AS "lockToken", last_error AS "lastError"
         FROM outbox_jobs WHERE tenant_id = $1 ORDER BY created_at, id`,
        [this.tenantId],
      ),
    );
  }

  async row(): Promise<Row> {
    const [row, ...others] = await this.rows();
    if (row === undefined || others.length > 0) throw new Error('The test expects exactly one job.');
    return row;
  }

  inTenant<T>(fn: () => Promise<T>): Promise<T> {
    return runInContext(this.context(), () => this.db.uow.run(fn));
  }

  /** A worker that claims the job and then dies. */
  async claimAndDie(id: string): Promise<void> {
    const claimed = await this.outbox.claim(this.tenantId, id, ids.opaque(), this.clock.now(), LEASE_MS);
    if (claimed === undefined) throw new Error('The claim must succeed.');
  }

  markOfFailure(): Promise<void> {
    return this.db.uow
      .execute(`INSERT INTO users (tenant_id, id, role) VALUES ($1, 'failed', 'reader')`, [this.tenantId])
      .then(() => undefined);
  }

  async failureIsMarked(): Promise<boolean> {
    const found = await this.inTenant(() =>
      this.db.uow.rows(`SELECT id FROM users WHERE tenant_id = $1 AND id = 'failed'`, [this.tenantId]),
    );
    return found.length === 1;
  }
}

/** A promise and the function that fulfils it. */
export function barrier(): { passed: Promise<void>; open: () => void } {
  let open = (): void => undefined;
  const passed = new Promise<void>((resolve) => (open = resolve));
  return { passed, open: () => open() };
}

/** Settles only when the job is told to stop, and then with the reason, as a well-behaved handler does. */
export function untilAborted({ signal }: Run): Promise<never> {
  return new Promise((_, reject) => {
    const stop = (): void => reject(signal.reason as Error);
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
  });
}
