import { expect, it } from '@jest/globals';
import { BillingEvents } from '../../../src/features/billing/index.js';
import { TestApp } from '../../harness/app.js';
import { eventually } from '../../harness/eventually.js';
import { WebhookReceiver } from '../../harness/webhook-receiver.js';

/** WEBHOOK_EVENTS=10000 for the whole proof, which then prints its figures. */
const asked = process.env['WEBHOOK_EVENTS'];
const EVENTS = Number(asked ?? 250);
const TENANTS = 5;
const SECRET = `whsec_${Buffer.from('the secret of the load proof').toString('base64')}`;
const PATIENCE_MS = 60_000 + EVENTS * 200;

interface Outcome {
  readonly id: string;
  readonly tenant: string;
  readonly state: string;
  readonly attempts: number;
  readonly numbers: number[];
  readonly statuses: (number | null)[];
  readonly inOrder: boolean;
}

const OUTCOMES = `
  SELECT d.id, d.tenant_id AS tenant, d.state, d.attempts, array_agg(a.number ORDER BY a.number) AS numbers,
         array_agg(a.status ORDER BY a.number) AS statuses,
         array_agg(a.started_at ORDER BY a.number) = array_agg(a.started_at ORDER BY a.started_at) AS "inOrder"
    FROM webhook_deliveries d JOIN webhook_attempts a ON a.tenant_id = d.tenant_id AND a.delivery_id = d.id
   GROUP BY d.tenant_id, d.id, d.state, d.attempts`;

// An invoice that was never sent is found by the customer, or by nobody.
it(
  `brings each of ${EVENTS} events at least once to a receiver that refuses 30 % and goes away twice`,
  async () => {
    const receiver = await WebhookReceiver.start(SECRET, (call) => call % 10 < 3);
    const app = await TestApp.start({
      BILLING_WEBHOOK_ENABLED: 'true',
      BILLING_WEBHOOK_URL: receiver.url,
      BILLING_WEBHOOK_SECRET: SECRET,
      BILLING_WEBHOOK_MAX_ATTEMPTS: '20',
      BILLING_WEBHOOK_TIMEOUT_MS: '8000',
      WEBHOOK_RETRY_DELAYS_S: '0.2',
      CB_OPEN_SECONDS: '1',
      JOBS_SWEEP_INTERVAL_MS: '1000',
    });
    const tenants = await Promise.all(Array.from({ length: TENANTS }, () => app.tenant()));
    const events = app.app.nest.get(BillingEvents);
    const began = performance.now();
    const sending = (async (): Promise<void> => {
      for (let sent = 0; sent < EVENTS; sent += TENANTS) {
        const event = { currentPlan: 'free', targetPlan: 'pro', reason: null, requestId: sent };
        await Promise.all(
          tenants.map((tenantId) => app.as(tenantId, () => events.upgradeRequested({ tenantId, ...event }))),
        );
      }
    })();
    const opened = (): number =>
      app.logs.filter(({ integration, state }) => integration === 'billing.webhook' && state === 'open').length;
    for (const [death, share] of [0.25, 0.5].entries()) {
      await eventually(() => expect(receiver.accepted).toBeGreaterThan(EVENTS * share), PATIENCE_MS);
      await receiver.die();
      await eventually(() => expect(opened()).toBeGreaterThan(death), PATIENCE_MS);
      await receiver.revive();
    }
    await sending;
    await eventually(() => expect(receiver.accepted).toBeGreaterThanOrEqual(EVENTS), PATIENCE_MS);
    await eventually(async () => {
      const open = await app.rows<{ open: number }>(
        `SELECT count(*)::int AS open FROM webhook_deliveries WHERE state = 'pending'`,
      );
      expect(open).toEqual([{ open: 0 }]);
    }, PATIENCE_MS);
    const seconds = (performance.now() - began) / 1000;
    const outcomes = await app.rows<Outcome>(OUTCOMES);

    expect(outcomes).toHaveLength(EVENTS);
    expect(outcomes.filter(({ state }) => state !== 'delivered')).toEqual([]);
    // The receiver accepted every one of them, and each call was signed.
    const accepted = [...receiver.answers].filter(([, answers]) => answers.includes(200)).map(([id]) => id);
    expect(accepted.sort()).toEqual(outcomes.map(({ id }) => id).sort());
    expect(receiver.forged).toBe(0);
    // Attempts are numbered without a gap in the order in which they were made; only the last one was accepted.
    const badly = outcomes.filter(
      ({ attempts, numbers, statuses, inOrder }) =>
        !inOrder ||
        numbers.length !== attempts ||
        numbers.some((number, index) => number !== index + 1) ||
        statuses.some((status, index) => (status === 200) !== (index === attempts - 1)),
    );
    expect(badly).toEqual([]);
    if (asked !== undefined) {
      const attempts = outcomes.reduce((sum, outcome) => sum + outcome.attempts, 0);
      const twice = receiver.accepted - EVENTS;
      process.stdout.write(
        `${EVENTS} events: ${seconds.toFixed(1)} s, ${(EVENTS / seconds).toFixed(0)} a second; ${attempts} attempts, ` +
          `${receiver.calls} calls received, ${twice} accepted again, breaker opened ${opened()} times\n`,
      );
    }
    await app.close();
    await receiver.die();
  },
  PATIENCE_MS * 4,
);
