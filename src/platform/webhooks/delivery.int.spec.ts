import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { testDatabase, type TestDatabase } from '../../../test/harness/database.js';
import { barrier, FlakyQueue, LEASE_MS, REDELIVER_AFTER_MS, World } from '../../../test/harness/jobs.js';
import { until } from '../../../test/harness/until.js';
import { AuditTrail } from '../../kernel/audit.js';
import { runInContext } from '../../kernel/context.js';
import { SystemIds } from '../../kernel/ids.js';
import { Postponed } from '../../kernel/jobs.js';
import { silentLog } from '../../kernel/log.js';
import { loadSettings, Secret } from '../../kernel/settings.js';
import { Egress, EgressFailure, type EgressResponse } from '../http-egress/index.js';
import { JobRegistry, JobRunner, OutboxJobs, Relay } from '../jobs/index.js';
import { modelSettings } from '../model-gateway/index.js';
import { WebhookDeliveriesRepository, type RecordedAttempt } from './deliveries.repository.js';
import { WebhookDeliveryHandler } from './delivery.handler.js';
import { WebhookSender } from './sender.js';
import { WebhookEndpoints, type WebhookDelivery, type WebhookEndpoint } from './webhook.js';
import { webhookJob } from './webhooks.jobs.js';
import { webhookSettings } from './webhooks.settings.js';
import { Webhooks } from './webhooks.js';

/*
 * The engine on a clock that stands still: when attempts are made, and what a worker that dies or freezes leaves.
 */

const ids = new SystemIds();
const [MINUTE, HOUR] = [60_000, 3_600_000];

let db: TestDatabase;
let world: World;
beforeAll(async () => {
  db = await testDatabase();
});
afterAll(() => db.close());
beforeEach(async () => {
  world = await World.open(db);
});
afterEach(async () => {
  await Promise.all(workers.splice(0).map(({ relay }) => relay.close()));
  await world.close();
});

type Answer = () => Promise<EgressResponse> | EgressResponse;
const status =
  (code: number, headers = {}): Answer =>
  () => ({ status: code, headers });
const silence: Answer = () => new Promise(() => undefined);

class NoAudit extends AuditTrail {
  record(): Promise<void> {
    return Promise.resolve();
  }
  note(): void {}
}

/** A receiver that every worker reaches, and the endpoint that names it. */
class Receiver extends WebhookEndpoints {
  readonly received: { id: string; at: number }[] = [];
  readonly deaths: WebhookDelivery[] = [];
  answer: Answer = status(200);
  endpoint: WebhookEndpoint | undefined = {
    url: 'https://hooks.example/',
    secrets: [new Secret('the secret of this suite')],
    timeoutMs: 2_000,
    maxAttempts: 10,
    headers: () => ({}),
  };
  find(): Promise<WebhookEndpoint | undefined> {
    return Promise.resolve(this.endpoint);
  }
  died(delivery: WebhookDelivery): Promise<void> {
    this.deaths.push(delivery);
    return Promise.resolve();
  }
}

class FakeEgress extends Egress {
  constructor(private readonly receiver: Receiver) {
    super({ allowPrivate: false }, world.clock);
  }
  override async post({ headers, signal }: Parameters<Egress['post']>[0]): Promise<EgressResponse> {
    this.receiver.received.push({ id: headers['webhook-id'] ?? '', at: world.clock.monotonic() });
    return Promise.race([
      Promise.resolve(this.receiver.answer()),
      new Promise<never>((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason as Error))),
    ]);
  }
}

const workers: Worker[] = [];

/** A process that sends webhooks. */
class Worker {
  readonly queue = new FlakyQueue();
  readonly relay: Relay;
  readonly webhooks: Webhooks;
  readonly runner: JobRunner;
  readonly handler: WebhookDeliveryHandler;

  constructor(receiver: Receiver, env: Record<string, string> = {}) {
    const { clock, outbox } = world;
    const settings = loadSettings({ CB_FAILURE_THRESHOLD: '1000', ...env }, [modelSettings, webhookSettings]);
    this.relay = new Relay(outbox, this.queue, clock, silentLog, { redeliverAfterMs: REDELIVER_AFTER_MS });
    const jobs = new OutboxJobs(db.uow, outbox, this.relay, this.queue, clock, ids);
    const deliveries = new WebhookDeliveriesRepository(db.uow);
    const sender = new WebhookSender(new FakeEgress(receiver), clock, ids, silentLog, settings.get(modelSettings));
    const registry = new JobRegistry();
    const schedule = settings.get(webhookSettings);
    this.handler = new WebhookDeliveryHandler(db.uow, deliveries, receiver, sender, clock, schedule);
    registry.register(webhookJob, this.handler, { concurrency: 2 });
    this.webhooks = new Webhooks(db.uow, deliveries, jobs, new NoAudit(), clock, ids);
    const wake = (name: string, at?: Date): void => this.relay.wake(name, at);
    const on = { outbox, uow: db.uow, wake, clock, ids, log: silentLog };
    this.runner = new JobRunner(registry, this.queue, on, { leaseMs: LEASE_MS });
    workers.push(this);
  }

  static async start(receiver: Receiver, env: Record<string, string> = {}): Promise<Worker> {
    const worker = new Worker(receiver, env);
    await worker.runner.start();
    return worker;
  }

  send(): Promise<string> {
    return world.inTenant(() => this.webhooks.send('test', { type: 'x', body: '{}' }));
  }
  deliver(id: string): Promise<void> {
    return this.runner.deliver({ tenantId: world.tenantId, id, name: webhookJob.name, round: '' });
  }
}

const get = (id: string): Promise<WebhookDelivery & { history: readonly RecordedAttempt[] }> =>
  world.inTenant(() => {
    const deliveries = new WebhookDeliveriesRepository(db.uow);
    return Promise.all([deliveries.find(id), deliveries.attempts(id)]).then(([delivery, history]) => {
      if (delivery === undefined) throw new Error('No such delivery.');
      return { ...delivery, history };
    });
  });
/** The job rests until the time that the delivery names. */
const rested = async (id: string, attempts: number): Promise<number> => {
  await until(async () => {
    const { state, runAt } = await world.row();
    const delivery = await get(id);
    const due = delivery.nextAttemptAt?.getTime();
    return delivery.attempts === attempts && state === 'pending' && runAt.getTime() === due;
  });
  return ((await get(id)).nextAttemptAt?.getTime() ?? 0) - world.clock.now().getTime();
};
const jobIsDone = (): Promise<void> => until(async () => (await world.row()).state === 'done');

describe('the schedule', () => {
  it('has an attempt at once and nine after the waits of Standard Webhooks, and then tells of the death once', async () => {
    const receiver = new Receiver();
    receiver.answer = status(500);
    const worker = await Worker.start(receiver);
    const id = await worker.send();
    const waits: number[] = [];
    for (let attempt = 1; attempt < 10; attempt += 1) {
      waits.push(await rested(id, attempt));
      world.clock.advance(waits.at(-1) ?? 0);
      // Long waits have no timer: the sweep that every worker makes finds them.
      await worker.relay.sweep();
    }
    await jobIsDone();
    const schedule = [5_000, 5 * MINUTE, 30 * MINUTE, ...[2, 5, 10, 14, 20, 24].map((hours) => hours * HOUR)];
    expect(waits).toEqual(schedule);
    const times = receiver.received.map(({ at }) => at);
    expect(times.slice(1).map((at, index) => at - (times[index] ?? 0))).toEqual(schedule);
    expect(new Set(receiver.received.map((request) => request.id))).toEqual(new Set([id]));
    const dead = await get(id);
    expect(dead).toMatchObject({ state: 'dead', attempts: 10, lastError: 'http_500', nextAttemptAt: null });
    expect(dead.history.map(({ number }) => number)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(receiver.deaths).toMatchObject([{ id, attempts: 10, lastStatus: 500, lastError: 'http_500' }]);
  });

  it('makes no attempt a moment too early, and a replay has all its attempts anew', async () => {
    const receiver = new Receiver();
    receiver.answer = status(404);
    receiver.endpoint = { ...receiver.endpoint, maxAttempts: 2 } as WebhookEndpoint;
    const worker = await Worker.start(receiver);
    const id = await worker.send();
    await rested(id, 1);
    world.clock.advance(3_999);
    await worker.relay.sweep();
    await worker.deliver(id);
    expect(receiver.received).toHaveLength(1);
    world.clock.advance(1_001);
    await jobIsDone();
    expect(await get(id)).toMatchObject({ state: 'dead', attempts: 2 });
    await world.inTenant(() => worker.webhooks.replay(id));
    await until(async () => (await get(id)).attempts === 3);
    expect(await get(id)).toMatchObject({ state: 'pending', replayedAfter: 2 });
    receiver.answer = status(200);
    // Before the job rests, its timer does not exist yet.
    await until(async () => (await world.rows()).every(({ state, delivered }) => state === 'done' || !delivered));
    world.clock.advance(5_000);
    await worker.relay.sweep();
    await until(async () => (await get(id)).state === 'delivered');
    expect((await get(id)).history.map((attempt) => attempt.status)).toEqual([404, 404, 404, 200]);
  });

  it('waits as long as a busy receiver asks', async () => {
    const receiver = new Receiver();
    receiver.answer = status(429, { 'retry-after': '40' });
    const worker = await Worker.start(receiver);
    expect(await rested(await worker.send(), 1)).toBe(40_000);
  });

  it('is delivered though the queue lost it', async () => {
    const receiver = new Receiver();
    const worker = await Worker.start(receiver);
    worker.queue.mode = 'forgets';
    const id = await worker.send();
    await worker.relay.sweep();
    worker.queue.mode = 'works';
    world.clock.advance(REDELIVER_AFTER_MS + 1);
    await worker.relay.sweep();
    await jobIsDone();
    expect(await get(id)).toMatchObject({ state: 'delivered', attempts: 1 });
  });
});

describe('a worker', () => {
  // kill -9 between the call and the record: the receiver hears of it again, under the same id.
  it('that dies during an attempt leaves it to another after its lease', async () => {
    const receiver = new Receiver();
    const survivor = new Worker(receiver);
    const id = await survivor.send();
    await world.claimAndDie(id);
    await survivor.deliver(id);
    expect(receiver.received).toEqual([]);
    world.clock.advance(LEASE_MS + 1);
    await survivor.deliver(id);
    expect(await get(id)).toMatchObject({ state: 'delivered', attempts: 1 });
  });

  it('that froze during an attempt records nothing over what its successor did', async () => {
    const receiver = new Receiver();
    const [frozen, successor] = [new Worker(receiver), new Worker(receiver)];
    receiver.answer = silence;
    const id = await frozen.send();
    const freezing = frozen.deliver(id);
    await until(() => receiver.received.length === 1);
    world.clock.advance(LEASE_MS + 1);
    await freezing;
    receiver.answer = status(200);
    world.clock.advance(LEASE_MS + 1);
    await successor.deliver(id);
    expect(receiver.received.map((request) => request.id)).toEqual([id, id]);
    expect((await get(id)).history).toMatchObject([{ number: 1, status: 200 }]);
  });

  // The job would be done, and the delivery pending for ever.
  it('that finds its attempt recorded by one that had lost the job does not take the delivery for finished', async () => {
    const receiver = new Receiver();
    const { passed, open } = barrier();
    receiver.answer = () => passed.then(() => ({ status: 500, headers: {} }));
    const worker = new Worker(receiver);
    const id = await worker.send();
    const { signal } = new AbortController();
    const job = { id, tenantId: world.tenantId, payload: { deliveryId: id }, attempt: 1, lastAttempt: false, signal };
    const runs = [1, 2].map(() => runInContext(world.context(), () => worker.handler.run(job)));
    const outcomes = Promise.allSettled(runs);
    await until(() => receiver.received.length === 2);
    open();
    const reasons = (await outcomes).map((outcome) => (outcome.status === 'rejected' ? outcome.reason : undefined));
    expect(reasons).toEqual([expect.any(Postponed), expect.any(Postponed)]);
    expect(await get(id)).toMatchObject({ state: 'pending', attempts: 1 });
  });

  it('of many makes an attempt alone', async () => {
    const receiver = new Receiver();
    const first = new Worker(receiver);
    const all = [first, new Worker(receiver), new Worker(receiver), new Worker(receiver)];
    const sent = await Promise.all(Array.from({ length: 10 }, () => first.send()));
    await Promise.all(all.flatMap((worker) => sent.map((id) => worker.deliver(id))));
    expect(receiver.received.map(({ id }) => id).sort()).toEqual([...sent].sort());
    for (const id of sent) expect((await get(id)).history).toHaveLength(1);
  });

  it('gives a delivery up, with its death told, when every worker dies of it', async () => {
    const receiver = new Receiver();
    const survivor = new Worker(receiver);
    const id = await survivor.send();
    for (let death = 0; death < webhookJob.attempts; death += 1) {
      await world.claimAndDie(id);
      world.clock.advance(LEASE_MS + 1);
    }
    await survivor.deliver(id);
    expect(await get(id)).toMatchObject({ state: 'dead', attempts: 0, lastError: 'not_attempted' });
    expect(receiver.deaths).toMatchObject([{ id }]);
  });
});

describe('an endpoint', () => {
  it('whose breaker is open is asked again after a while, without an attempt being counted', async () => {
    const receiver = new Receiver();
    receiver.answer = () => Promise.reject(new EgressFailure('timeout'));
    const env = { CB_FAILURE_THRESHOLD: '1', CB_OPEN_SECONDS: '30', CB_HALF_OPEN_TRIALS: '1' };
    const worker = new Worker(receiver, env);
    const [first, second] = [await worker.send(), await worker.send()];
    await worker.deliver(first);
    await worker.deliver(second);
    expect(receiver.received).toHaveLength(1);
    expect(await get(second)).toMatchObject({ state: 'pending', attempts: 0 });
    const waits = (await world.rows()).map(({ runAt }) => runAt.getTime() - world.clock.now().getTime());
    expect(waits[0]).toBe(5_000);
    expect(waits[1]).toBeGreaterThanOrEqual(30_000);
    expect(waits[1]).toBeLessThan(60_000);
    receiver.answer = status(200);
    world.clock.advance(60_000);
    await worker.deliver(second);
    await worker.deliver(first);
    expect(await get(second)).toMatchObject({ state: 'delivered', attempts: 1 });
    expect(await get(first)).toMatchObject({ state: 'delivered', attempts: 2 });
  });

  it('that is gone is another one as soon as its address or its secret changes', async () => {
    const receiver = new Receiver();
    receiver.answer = status(410);
    const worker = new Worker(receiver);
    const attempt = async (): Promise<string | null> => {
      const id = await worker.send();
      await worker.deliver(id);
      const { state, lastError } = await get(id);
      return lastError ?? state;
    };
    expect(await attempt()).toBe('http_410');
    receiver.answer = status(200);
    expect(await attempt()).toBe('endpoint_gone');
    const former = receiver.endpoint as WebhookEndpoint;
    receiver.endpoint = { ...former, url: 'https://elsewhere.example/' };
    expect(await attempt()).toBe('delivered');
    receiver.endpoint = former;
    expect(await attempt()).toBe('endpoint_gone');
    receiver.endpoint = { ...former, secrets: [new Secret('another secret of this suite')] };
    expect(await attempt()).toBe('delivered');
  });
});
