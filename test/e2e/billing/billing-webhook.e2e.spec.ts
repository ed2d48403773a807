import { createHmac } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { Type } from '@nestjs/common';
import { Webhook } from 'standardwebhooks';
import { SETTINGS } from '../../../src/app/catalogue.js';
import type { CommandContext } from '../../../src/cli/command.js';
import { webhooksList, webhooksReplay } from '../../../src/cli/commands/webhooks.js';
import { BillingEvents } from '../../../src/features/billing/index.js';
import { loadSettings, SettingsError } from '../../../src/kernel/settings.js';
import { Webhooks } from '../../../src/platform/webhooks/index.js';
import { TestApp, type Actor } from '../../harness/app.js';
import { eventually } from '../../harness/eventually.js';
import { ScriptedServer, type ReceivedRequest, type Reply } from '../../harness/scripted-server.js';
import { until } from '../../harness/until.js';
import { ShiftedClock } from '../auth/shifted-clock.js';

const SECRET = `whsec_${Buffer.from('the current secret of the tests').toString('base64')}`;
const PREVIOUS = 'the former secret of the tests';
const TEST = '/v1/self-serve/billing/webhook-test';
const DELIVERIES = '/v1/admin/webhooks/deliveries';

const answer =
  (status: number, headers = {}): Reply =>
  (response) =>
    response.writeHead(status, headers).end();

interface Delivery {
  readonly id: string;
  readonly state: string;
  readonly attempts: number;
  readonly last_status: number | null;
  readonly last_error: string | null;
  readonly history: readonly { number: number; status: number | null; error: string | null }[];
}

let receiver: ScriptedServer;
beforeAll(async () => {
  receiver = await ScriptedServer.start(answer(200));
});
afterEach(() => void receiver.requests.splice(0));
afterAll(() => receiver.close());

const configured = (env: Record<string, string> = {}): Record<string, string> => ({
  BILLING_WEBHOOK_ENABLED: 'true',
  BILLING_WEBHOOK_URL: `${receiver.url}/hooks`,
  BILLING_WEBHOOK_SECRET: SECRET,
  BILLING_WEBHOOK_MAX_ATTEMPTS: '3',
  BILLING_WEBHOOK_TIMEOUT_MS: '30000',
  EXT_CALL_TIMEOUT_MS: '30000',
  WEBHOOK_RETRY_DELAYS_S: '0.05',
  CB_FAILURE_THRESHOLD: '1000',
  ...env,
});

const upgrade = (app: TestApp, { tenantId }: Actor, reason: string | null = 'Need TTS'): Promise<void> =>
  app.as(tenantId, () =>
    app.app.nest
      .get(BillingEvents)
      .upgradeRequested({ tenantId, currentPlan: 'free', targetPlan: 'pro', reason, requestId: 7 }),
  );
const list = async ({ get }: Actor, query = ''): Promise<Delivery[]> =>
  (await get(`${DELIVERIES}${query}`).expect(200)).body.data as Delivery[];
const one = async (admin: Actor): Promise<Delivery> => {
  const [delivery, ...others] = await list(admin);
  if (delivery === undefined || others.length > 0) throw new Error('The test expects exactly one delivery.');
  return (await admin.get(`${DELIVERIES}/${delivery.id}`).expect(200)).body.data as Delivery;
};
const ended = (admin: Actor, state: string): Promise<Delivery> =>
  eventually(async () => {
    const delivery = await one(admin);
    expect(delivery.state).toBe(state);
    return delivery;
  });
const tested = async (app: TestApp, { tenantId }: Actor): Promise<unknown> =>
  (await app.audit(tenantId)).filter(({ event_type: type }) => type === 'selfserve.billing_webhook_tested').at(-1);
const hexHmac = (text: string, secret = SECRET): string => createHmac('sha256', secret).update(text).digest('hex');
const verified = ({ text, headers }: ReceivedRequest, secret = SECRET): unknown =>
  new Webhook(secret, secret.startsWith('whsec_') ? {} : { format: 'raw' }).verify(
    text,
    headers as Record<string, string>,
  );

describe('an event that was sent', () => {
  let app: TestApp;
  let clock: ShiftedClock;
  let admin: Actor;
  beforeAll(async () => {
    clock = new ShiftedClock();
    app = await TestApp.start(configured({ BILLING_WEBHOOK_SECRET_PREVIOUS: PREVIOUS }), { clock });
  });
  afterAll(() => app.close());
  const fresh = async (): Promise<void> => {
    admin = await app.actor('admin');
  };

  it('04 §5 case 1: is signed as the seed says, over exactly the bytes that are sent', async () => {
    await fresh();
    await upgrade(app, admin, 'Mehr Krill für 日本, "bald"\n');
    await ended(admin, 'delivered');
    const [request] = receiver.requests;
    expect(request?.headers).toMatchObject({
      'content-type': 'application/json',
      'x-billing-event': 'billing.upgrade_requested',
      'x-billing-signature': hexHmac(request?.text ?? ''),
    });
    const { timestamp } = request?.body as { timestamp: string };
    expect(request?.text).toBe(
      `{"event_type":"billing.upgrade_requested","tenant_id":"${admin.tenantId}","current_plan":"free","target_plan":"pro",` +
        `"reason":"Mehr Krill für 日本, \\"bald\\"\\n","request_id":7,"timestamp":"${timestamp}"}`,
    );
    expect(new Date(timestamp).toISOString()).toBe(timestamp);
  });

  it('verifies with Standard Webhooks under the current and under the former secret', async () => {
    await fresh();
    await upgrade(app, admin);
    const { id } = await ended(admin, 'delivered');
    const [request] = receiver.requests;
    if (request === undefined) throw new Error('Nothing came.');
    expect(request.headers['webhook-id']).toBe(id);
    expect(request.headers['webhook-signature']).toMatch(/^v1,\S{44} v1,\S{44}$/);
    for (const secret of [SECRET, PREVIOUS]) expect(verified(request, secret)).toEqual(request.body);
    expect(() => verified(request, 'somebody else')).toThrow('No matching signature');
  });

  it('04 §5 case 6: does not verify when its body, id or time was changed', async () => {
    await fresh();
    await upgrade(app, admin);
    await ended(admin, 'delivered');
    const [request] = receiver.requests;
    if (request === undefined) throw new Error('Nothing came.');
    const tampered = { ...request, text: request.text.replace('"pro"', '"enterprise"') };
    expect(hexHmac(tampered.text)).not.toBe(request.headers['x-billing-signature']);
    const forged = [
      tampered,
      { ...request, headers: { ...request.headers, 'webhook-id': 'another' } },
      {
        ...request,
        headers: { ...request.headers, 'webhook-timestamp': String(Number(request.headers['webhook-timestamp']) + 1) },
      },
    ];
    for (const forgery of forged) expect(() => verified(forgery)).toThrow('No matching signature');
  });

  it('04 §5 case 3: is delivered once after a 500, under the same id, in two attempts', async () => {
    await fresh();
    receiver.next(answer(500));
    await upgrade(app, admin);
    const delivery = await ended(admin, 'delivered');
    expect(delivery).toMatchObject({ attempts: 2, last_status: 200, last_error: null });
    expect(delivery.history).toMatchObject([
      { number: 1, status: 500, error: 'http_500' },
      { number: 2, status: 200, error: null },
    ]);
    expect(receiver.requests.map(({ headers }) => headers['webhook-id'])).toEqual([delivery.id, delivery.id]);
    expect(new Set(receiver.requests.map(({ text }) => text)).size).toBe(1);
  });

  it('04 §5 case 4: is dead after its attempts, audited once, and delivered when it is replayed', async () => {
    await fresh();
    receiver.next(answer(500), answer(302, { Location: receiver.url }), (response) => response.destroy());
    await upgrade(app, admin);
    const dead = await ended(admin, 'dead');
    expect(dead.history.map(({ error }) => error)).toEqual(['http_500', 'http_302', 'connection_failed']);
    expect(await list(admin, '?state=dead')).toMatchObject([{ id: dead.id }]);
    expect(await list(admin, '?state=delivered')).toEqual([]);
    const failures = (await app.audit(admin.tenantId)).filter(
      ({ event_type: type }) => type === 'billing.webhook.failure',
    );
    expect(failures).toMatchObject([
      {
        actor_type: 'system',
        actor_id: 'billing_webhook',
        outcome: 'failure',
        metadata_json: { event_type: 'billing.upgrade_requested', attempts: 3, reason: 'connection_failed' },
      },
    ]);
    await admin.post(`${DELIVERIES}/${dead.id}/replay`).expect(202);
    const replayed = await ended(admin, 'delivered');
    expect(replayed).toMatchObject({ id: dead.id, attempts: 4 });
    expect(new Set(receiver.requests.map(({ headers }) => headers['webhook-id']))).toEqual(new Set([dead.id]));
    await admin.post(`${DELIVERIES}/${dead.id}/replay`).expect(409);
    const audited = (await app.audit(admin.tenantId)).map(({ event_type: type }) => type);
    expect(audited).toContain('webhook.delivery.replayed');
  });

  // A billing system that hangs must not make a single request of a customer slower.
  it('04 §5 case 4: keeps nobody waiting for a receiver that does not answer', async () => {
    await fresh();
    let release = (): void => undefined;
    receiver.next((response) => (release = () => response.writeHead(200).end()));
    await upgrade(app, admin);
    await until(() => receiver.requests.length === 1);
    // The receiver holds the delivery, and everything else goes on.
    expect(await one(admin)).toMatchObject({ state: 'pending', attempts: 0 });
    await upgrade(app, admin);
    release();
    await eventually(async () => {
      expect((await list(admin)).map(({ state }) => state)).toEqual(['delivered', 'delivered']);
    });
  });

  it('is not sent when the transaction that it belongs to is rolled back', async () => {
    await fresh();
    const { uow } = app.infrastructure;
    const change = app.as(admin.tenantId, () =>
      uow.run(async () => {
        await upgrade(app, admin);
        throw new Error('No.');
      }),
    );
    await expect(change).rejects.toThrow('No.');
    expect(await list(admin)).toEqual([]);
  });

  it('tells of a quota that is used up: once of its soft cap, once a minute of refusals', async () => {
    await fresh();
    await admin.patch(`/v1/admin/quotas/${admin.tenantId}`, { daily_requests_limit: 2 }).expect(200);
    const events = (type: string): unknown[] =>
      receiver.requests.map(({ body }) => body as { event_type: string }).filter((body) => body.event_type === type);
    const blocked = (): unknown[] => events('quota.hard_cap_blocked');
    await admin.get('/v1/corpora').expect(200);
    await admin.get('/v1/corpora').expect(200);
    await Promise.all(Array.from({ length: 10 }, () => admin.get('/v1/corpora').expect(402)));
    await eventually(() => expect(blocked()).toHaveLength(1));
    clock.advance(30);
    await admin.get('/v1/corpora').expect(402);
    clock.advance(31);
    await admin.get('/v1/corpora').expect(402);
    await eventually(() => expect(blocked()).toHaveLength(2));
    const { tenantId } = admin;
    const told = { tenant_id: tenantId, period: 'day', timestamp: expect.any(String) };
    expect(blocked()[0]).toEqual({
      event_type: 'quota.hard_cap_blocked',
      ...told,
      day_used: 2,
      day_limit: 2,
      month_used: 2,
      month_limit: null,
    });
    await eventually(() =>
      expect(events('quota.soft_cap_reached')).toEqual([
        { event_type: 'quota.soft_cap_reached', ...told, used: 2, limit: 2, soft_cap_ratio: 0.8 },
      ]),
    );
  });

  it('ends an endpoint that answers 410: what follows is dead without a call, until one is replayed', async () => {
    await fresh();
    receiver.next(answer(410));
    await upgrade(app, admin);
    const gone = await ended(admin, 'dead');
    expect(gone).toMatchObject({ attempts: 1, last_error: 'http_410' });
    await upgrade(app, admin);
    await eventually(async () => expect(await list(admin, '?state=dead')).toHaveLength(2));
    expect((await list(admin))[0]).toMatchObject({ attempts: 0, last_error: 'endpoint_gone' });
    expect(receiver.requests).toHaveLength(1);
    // Another tenant has not heard of it.
    const other = await app.actor('admin');
    await upgrade(app, other);
    await ended(other, 'delivered');
    await admin.post(`${DELIVERIES}/${gone.id}/replay`).expect(202);
    await upgrade(app, admin);
    await eventually(async () => expect(await list(admin, '?state=delivered')).toHaveLength(2));
  });

  it('is listed and replayed from the command line', async () => {
    await fresh();
    receiver.next(...Array.from({ length: 6 }, () => answer(500)));
    await upgrade(app, admin);
    await ended(admin, 'dead');
    await upgrade(app, admin);
    await eventually(async () => expect(await list(admin, '?state=dead')).toHaveLength(2));
    const context = {
      service: (type: Type) => Promise.resolve(app.app.nest.get<unknown>(type, { strict: false })),
      asSystem: (fn: () => Promise<unknown>, tenantId: string) => app.as(tenantId, fn),
    } as unknown as CommandContext;
    const args = { tenant: admin.tenantId };
    const dead = (await list(admin)).map(({ id }) => id);
    expect(await webhooksList.execute(context, { ...args, state: 'dead' })).toMatchObject({
      items: dead.map((id) => ({ id, endpoint: 'billing', attempts: 3, last_error: 'http_500' })),
    });
    await expect(webhooksReplay.execute(context, args)).rejects.toMatchObject({ code: 'USAGE' });
    const [first, second] = dead;
    expect(await webhooksReplay.execute(context, { ...args, delivery: first })).toMatchObject({ replayed: [first] });
    expect(await webhooksReplay.execute(context, { ...args, allDead: true })).toMatchObject({ replayed: [second] });
    await eventually(async () => expect(await list(admin, '?state=delivered')).toHaveLength(2));
  });

  it('lists deliveries page by page, newest first', async () => {
    await fresh();
    for (let made = 0; made < 3; made += 1) await upgrade(app, admin);
    const all = (await list(admin)).map(({ id }) => id);
    const first = await admin.get(`${DELIVERIES}?limit=2`).expect(200);
    const cursor = first.body.meta.page.next_cursor as string;
    const second = await admin.get(`${DELIVERIES}?limit=2&cursor=${cursor}`).expect(200);
    const paged = [...first.body.data, ...second.body.data] as Delivery[];
    expect(paged.map(({ id }) => id)).toEqual(all);
    expect(all).toHaveLength(3);
    expect(second.body.meta.page.next_cursor).toBeNull();
    await admin.get(`${DELIVERIES}?state=lost`).expect(422);
    await admin.get(`${DELIVERIES}?cursor=x`).expect(400);
  });

  it('is pruned when it ended long ago', async () => {
    await fresh();
    await upgrade(app, admin);
    const { id } = await ended(admin, 'delivered');
    const webhooks = app.app.nest.get(Webhooks, { strict: false });
    await webhooks.prune(60_000);
    expect(await list(admin)).toMatchObject([{ id }]);
    clock.advance(61);
    await webhooks.prune(60_000);
    expect(await list(admin)).toEqual([]);
    expect(await app.rows('SELECT FROM webhook_attempts WHERE delivery_id = $1', [id])).toEqual([]);
  });
});

describe('the test of the webhook', () => {
  let app: TestApp;
  let admin: Actor;
  beforeAll(async () => {
    app = await TestApp.start(configured({ BILLING_WEBHOOK_TIMEOUT_MS: '2000' }));
    admin = await app.actor('admin');
  });
  afterAll(() => app.close());

  it('04 §6 case 12: 200 and sent, signed like every delivery', async () => {
    const { data } = (await admin.post(TEST).expect(200)).body;
    expect(data).toEqual({
      sent: true,
      status_code: 200,
      delivery_id: expect.any(String),
      message: 'The receiver accepted the event.',
    });
    const [request] = receiver.requests;
    if (request === undefined) throw new Error('Nothing came.');
    expect(request.headers).toMatchObject({
      'x-billing-event': 'billing.webhook.test',
      'x-billing-signature': hexHmac(request.text),
      'webhook-id': data.delivery_id,
    });
    const { delivery_id } = data as { delivery_id: string };
    expect(verified(request)).toEqual({
      event_type: 'billing.webhook.test',
      tenant_id: admin.tenantId,
      delivery_id,
      timestamp: expect.any(String),
    });
    const audited = { event_type: 'selfserve.billing_webhook_tested', outcome: 'success' };
    expect(await tested(app, admin)).toMatchObject({
      ...audited,
      metadata_json: { delivery_id, status_code: 200, sent: true },
    });
  });

  it('04 §6 case 12: 200 and not sent, once, when the receiver answers 500', async () => {
    receiver.next(answer(500));
    const { data } = (await admin.post(TEST).expect(200)).body;
    expect(data).toMatchObject({ sent: false, status_code: 500, message: 'The receiver answered with status 500.' });
    expect(receiver.requests).toHaveLength(1);
    expect(await tested(app, admin)).toMatchObject({
      outcome: 'failure',
      metadata_json: { status_code: 500, sent: false },
    });
  });

  it('200 and not sent within the timeout when the receiver does not answer', async () => {
    receiver.next(() => undefined);
    const { data } = (await admin.post(TEST).expect(200)).body;
    expect(data).toMatchObject({ sent: false, status_code: null, message: 'The receiver did not answer in time.' });
  });

  it('04 §6 case 12: 403 on the free plan, and nothing is sent', async () => {
    const owner = await app.actor('admin', await app.tenant('free'));
    const { error } = (await owner.post(TEST).expect(403)).body;
    expect(error).toMatchObject({
      code: 'FEATURE_NOT_ENABLED',
      details: { feature_key: 'feature.billing_webhook_test' },
    });
    expect(receiver.requests).toEqual([]);
    expect(await tested(app, owner)).toBeUndefined();
  });

  it('403 for an editor', async () => {
    const editor = await app.actor('editor', admin.tenantId);
    await editor.post(TEST).expect(403);
    expect(receiver.requests).toEqual([]);
  });
});

describe('a webhook that is off', () => {
  it.each([
    ['disabled', { BILLING_WEBHOOK_ENABLED: 'false' }],
    ['not_configured', { BILLING_WEBHOOK_SECRET: '' }],
  ])('04 §5 case 2, §6 case 12: makes no call, and its test is 400: %s', async (reason, env) => {
    const app = await TestApp.start(configured(env));
    const admin = await app.actor('admin');
    await upgrade(app, admin);
    expect(await list(admin)).toEqual([]);
    const { error } = (await admin.post(TEST).expect(400)).body;
    expect(error).toMatchObject({ code: 'BILLING_WEBHOOK_NOT_CONFIGURED', details: { reason } });
    expect(await tested(app, admin)).toMatchObject({ outcome: 'failure', metadata_json: { reason } });
    expect(receiver.requests).toEqual([]);
    await app.close();
  });

  it('cancels what waited when it was switched off', async () => {
    const app = await TestApp.start(configured({ BILLING_WEBHOOK_ENABLED: 'false' }));
    const admin = await app.actor('admin');
    const webhooks = app.app.nest.get(Webhooks, { strict: false });
    await app.as(admin.tenantId, () =>
      app.infrastructure.uow.run(() => webhooks.send('billing', { type: 'x', body: '{}' })),
    );
    expect(await ended(admin, 'cancelled')).toMatchObject({ attempts: 0, last_error: 'endpoint_off' });
    await app.close();
  });
});

describe('the circuit breaker', () => {
  // Without it, every delivery of a backlog would wait for the timeout of a receiver that is down.
  it('04 §5 case 5: opens after 5 failures; what waits makes no attempt', async () => {
    const env = { CB_FAILURE_THRESHOLD: '5', CB_OPEN_SECONDS: '3600', WEBHOOK_CONCURRENCY: '1' };
    const app = await TestApp.start(configured({ ...env, WEBHOOK_RETRY_DELAYS_S: '3600' }));
    const admin = await app.actor('admin');
    receiver.next(...Array.from({ length: 5 }, () => answer(503)));
    for (let made = 0; made < 8; made += 1) await upgrade(app, admin);
    await eventually(async () => {
      const waiting = `SELECT FROM outbox_jobs WHERE tenant_id = $1 AND state = 'pending' AND run_at > now()`;
      expect(await app.rows(waiting, [admin.tenantId])).toHaveLength(8);
    });
    expect(receiver.requests).toHaveLength(5);
    const deliveries = await list(admin);
    expect(deliveries.map(({ attempts }) => attempts).sort()).toEqual([0, 0, 0, 1, 1, 1, 1, 1]);
    expect(app.logs).toContainEqual(expect.objectContaining({ integration: 'billing.webhook', state: 'open' }));
    await app.close();
  });
});

describe('the settings', () => {
  const faultsOf = (env: Record<string, string>): readonly string[] => {
    try {
      loadSettings(env, SETTINGS);
      return [];
    } catch (error) {
      if (error instanceof SettingsError) return error.faults.filter((fault) => /^(BILLING|WEBHOOK)_/.test(fault));
      throw error;
    }
  };
  const production = {
    NODE_ENV: 'production',
    BILLING_WEBHOOK_ENABLED: 'true',
    BILLING_WEBHOOK_URL: 'https://billing.example.com/hooks',
    BILLING_WEBHOOK_SECRET: SECRET,
  };

  it('04 §5 case 7: refuse production with the webhook enabled and no secret, or no URL', () => {
    expect(faultsOf(production)).toEqual([]);
    for (const missing of ['BILLING_WEBHOOK_URL', 'BILLING_WEBHOOK_SECRET']) {
      expect(faultsOf({ ...production, [missing]: '' })).toEqual([expect.stringContaining('are required')]);
    }
  });

  it('04 §5 case 8: refuse a metadata service everywhere, and private addresses and plain HTTP in production', () => {
    for (const mode of ['development', 'production']) {
      const faults = faultsOf({ NODE_ENV: mode, BILLING_WEBHOOK_URL: 'http://169.254.169.254' });
      expect(faults).toEqual([expect.stringMatching(/^BILLING_WEBHOOK_URL must/)]);
    }
    for (const url of ['http://billing.example.com', 'https://10.0.0.1', 'https://u:p@billing.example.com']) {
      expect(faultsOf({ ...production, BILLING_WEBHOOK_URL: url })).toHaveLength(1);
    }
    expect(faultsOf({ BILLING_WEBHOOK_URL: 'http://127.0.0.1:8080' })).toEqual([]);
  });

  it('refuse a secret that cannot be decoded, or is too short for production', () => {
    expect(faultsOf({ BILLING_WEBHOOK_SECRET: 'whsec_***' })).toHaveLength(1);
    expect(faultsOf({ ...production, BILLING_WEBHOOK_SECRET_PREVIOUS: 'short' })).toHaveLength(1);
    expect(faultsOf({ WEBHOOK_RETRY_DELAYS_S: '5,soon' })).toHaveLength(1);
  });
});
