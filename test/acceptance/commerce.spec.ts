import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { EmbeddedServer } from '../harness/process.js';

/**
 * The order's own commands on limits, quotas, plans, audit and self-serve, as printed there, in bash, in their order,
 * against a first start: what a customer pastes from the order must work.
 */
let server: EmbeddedServer;
beforeAll(async () => {
  server = await EmbeddedServer.start();
});
afterAll(() => server.discard());

/** Runs a command, and reads the envelope that it prints. */
async function data(command: string): Promise<Record<string, unknown> & unknown[]> {
  const { stdout } = await server.shell(command);
  const envelope = JSON.parse(stdout) as { data?: unknown; error?: unknown };
  expect(envelope.error).toBeUndefined();
  return envelope.data as Record<string, unknown> & unknown[];
}

describe('usage quotas', () => {
  it('shows the limits', async () => {
    const limits = await data(`curl -s -H "Authorization: Bearer $ADMIN_API_KEY" \\
      http://localhost:8000/v1/admin/quotas/t1`);
    expect(limits).toMatchObject({ tenant_id: 't1', daily_requests_limit: null, soft_cap_ratio: 0.8 });
  });

  it('changes them', async () => {
    const limits =
      await data(`curl -s -X PATCH -H "Content-Type: application/json" -H "Authorization: Bearer $ADMIN_API_KEY" \\
      http://localhost:8000/v1/admin/quotas/t1 \\
      -d '{
        "daily_requests_limit": 500,
        "monthly_requests_limit": 10000,
        "soft_cap_ratio": 0.8,
        "hard_cap_enabled": true
      }'`);
    expect(limits).toMatchObject({ daily_requests_limit: 500, monthly_requests_limit: 10000, hard_cap_enabled: true });
    const { stdout } = await server.shell(
      'curl -si -H "Authorization: Bearer $ADMIN_API_KEY" http://localhost:8000/v1/corpora',
    );
    expect(stdout).toMatch(/^x-quota-day-limit: 500\r$/im);
    expect(stdout).toMatch(/^x-quota-hardcap-mode: enforce\r$/im);
  });

  it('summarises the usage of a month', async () => {
    const usage = await data(`curl -s -H "Authorization: Bearer $ADMIN_API_KEY" \\
      "http://localhost:8000/v1/admin/usage/t1?period=month&start=2026-02-01"`);
    expect(usage).toMatchObject({ tenant_id: 't1', period_type: 'month', requests_count: 0 });
  });
});

describe('audit logs', () => {
  it('lists events', async () => {
    const { items } = await data(`curl -s -H "Authorization: Bearer $ADMIN_API_KEY" \\
      "http://localhost:8000/v1/audit/events?limit=50"`);
    expect((items as { event_type: string }[]).map(({ event_type }) => event_type)).toContain('quota.limits.updated');
  });

  it('filters events', async () => {
    const events = await data(`curl -s -H "Authorization: Bearer $ADMIN_API_KEY" \\
      "http://localhost:8000/v1/audit/events?event_type=rbac.forbidden&outcome=failure&limit=20"`);
    expect(events['items']).toEqual([]);
  });
});

describe('tenant self-serve', () => {
  it('creates, lists and revokes a key', async () => {
    const created =
      await data(`curl -s -X POST -H "Content-Type: application/json" -H "Authorization: Bearer $ADMIN_API_KEY" \\
      http://localhost:8000/v1/self-serve/api-keys \\
      -d '{"name":"ci-bot","role":"editor"}'`);
    expect(created).toMatchObject({ name: 'ci-bot', role: 'editor', api_key: expect.stringMatching(/^nrgk_/) });
    const { items } = await data(`curl -s -H "Authorization: Bearer $ADMIN_API_KEY" \\
      http://localhost:8000/v1/self-serve/api-keys`);
    expect(items).toContainEqual(expect.objectContaining({ key_id: created['key_id'] }));
    expect(JSON.stringify(items)).not.toContain(created['api_key']);
    const revoked = await data(`KEY_ID=${String(created['key_id'])}
      curl -s -X POST -H "Authorization: Bearer $ADMIN_API_KEY" \\
      http://localhost:8000/v1/self-serve/api-keys/$KEY_ID/revoke`);
    expect(revoked['revoked_at']).toEqual(expect.any(String));
  });

  it('shows usage', async () => {
    const summary = await data(`curl -s -H "Authorization: Bearer $ADMIN_API_KEY" \\
      "http://localhost:8000/v1/self-serve/usage/summary?window_days=30"`);
    expect(summary).toMatchObject({ window_days: 30, quota: { day: { limit: 500 } } });
    const series = await data(`curl -s -H "Authorization: Bearer $ADMIN_API_KEY" \\
      "http://localhost:8000/v1/self-serve/usage/timeseries?metric=requests&granularity=day&days=30"`);
    expect(series['points']).toHaveLength(30);
  });

  it('shows the plan and asks for another', async () => {
    const plan = await data(`curl -s -H "Authorization: Bearer $ADMIN_API_KEY" \\
      http://localhost:8000/v1/self-serve/plan`);
    expect(plan).toMatchObject({ tenant_id: 't1', plan_id: 'enterprise' });
    const request =
      await data(`curl -s -X POST -H "Content-Type: application/json" -H "Authorization: Bearer $ADMIN_API_KEY" \\
      http://localhost:8000/v1/self-serve/plan/upgrade-request \\
      -d '{"target_plan":"pro","reason":"Need TTS and Bedrock"}'`);
    expect(request).toMatchObject({ request_id: expect.any(Number), status: 'pending' });
  });

  it('says that no webhook is configured', async () => {
    const { stdout } = await server.shell(`curl -s -X POST -H "Authorization: Bearer $ADMIN_API_KEY" \\
      http://localhost:8000/v1/self-serve/billing/webhook-test`);
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'BILLING_WEBHOOK_NOT_CONFIGURED' } });
  });
});

describe('plans', () => {
  it('lists the plans', async () => {
    const plans = await data(`curl -s -H "Authorization: Bearer $ADMIN_API_KEY" \\
      http://localhost:8000/v1/admin/plans`);
    expect(plans).toEqual([
      expect.objectContaining({ id: 'enterprise' }),
      expect.objectContaining({ id: 'free' }),
      expect.objectContaining({ id: 'pro' }),
    ]);
  });

  it('shows the plan of the tenant, assigns one and overrides a feature', async () => {
    const plan = await data(`curl -s -H "Authorization: Bearer $ADMIN_API_KEY" \\
      http://localhost:8000/v1/admin/plans/t1`);
    expect(plan).toMatchObject({ plan_id: 'enterprise', is_active: true });
    const assigned =
      await data(`curl -s -X PATCH -H "Content-Type: application/json" -H "Authorization: Bearer $ADMIN_API_KEY" \\
      http://localhost:8000/v1/admin/plans/t1 \\
      -d '{"plan_id":"pro"}'`);
    expect(assigned).toMatchObject({ plan_id: 'pro', plan_name: 'Pro' });
    const overridden =
      await data(`curl -s -X PATCH -H "Content-Type: application/json" -H "Authorization: Bearer $ADMIN_API_KEY" \\
      http://localhost:8000/v1/admin/plans/t1/overrides \\
      -d '{"feature_key":"feature.tts","enabled":true,"config_json":{"voices":["nova"]}}'`);
    expect(overridden['entitlements']).toContainEqual({
      feature_key: 'feature.tts',
      enabled: true,
      config_json: { voices: ['nova'] },
    });
  });
});
