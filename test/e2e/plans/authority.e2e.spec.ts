import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Response } from 'supertest';
import { TestApp, type Actor } from '../../harness/app.js';

/** As in production, but for the databases that it demands. */
let app: TestApp;
let operator: Actor;
let customer: Actor;

beforeAll(async () => {
  app = await TestApp.start({ PLATFORM_OPERATOR_TENANTS: 'ops', TENANT_ADMIN_CAN_ASSIGN_PLAN: 'false' }, {}, false);
  await app.rows(`INSERT INTO tenants (id, name) VALUES ('ops', 'Operators')`);
  operator = await app.actor('admin', 'ops');
  customer = await app.actor('admin', await app.tenant('free'));
});
afterAll(() => app.close());

const changes = (actor: Actor): (() => Promise<Response>)[] => {
  const path = `/v1/admin/plans/${actor.tenantId}`;
  return [
    () => actor.patch(path, { plan_id: 'pro' }),
    () => actor.patch(`${path}/overrides`, { feature_key: 'feature.tts', enabled: true }),
    () => actor.delete(`${path}/overrides/feature.tts`),
  ];
};

describe('an operation that needs an authority', () => {
  it('01 §7 case 6: is refused to the admin of a tenant, recorded, and changes nothing', async () => {
    for (const change of changes(customer)) {
      const response = await change();
      expect([response.status, response.body.error.code]).toEqual([403, 'PLATFORM_OPERATOR_REQUIRED']);
    }
    const plan = await customer.get(`/v1/admin/plans/${customer.tenantId}`).expect(200);
    expect(plan.body.data).toMatchObject({ plan_id: 'free', is_active: false });
    const refusals = (await app.audit(customer.tenantId)).filter(({ event_type }) => event_type === 'rbac.forbidden');
    expect(refusals).toHaveLength(3);
    expect(refusals[0]).toMatchObject({
      outcome: 'failure',
      error_code: 'PLATFORM_OPERATOR_REQUIRED',
      actor_id: customer.keyId,
      metadata_json: { method: 'PATCH', required_role: 'admin', required_authority: 'plan_assignment' },
    });
  });

  it('is open to the admin of an operator tenant, and to nobody else there', async () => {
    for (const change of changes(operator)) expect((await change()).ok).toBe(true);
    for (const change of changes(await app.actor('editor', 'ops'))) {
      expect((await change()).body.error.code).toBe('AUTH_FORBIDDEN');
    }
  });

  it('is refused for its role or its tenant before its authority', async () => {
    const editor = await app.actor('editor', customer.tenantId);
    const path = `/v1/admin/plans/${operator.tenantId}`;
    for (const response of [
      await editor.patch(`/v1/admin/plans/${customer.tenantId}`, { plan_id: 'pro' }),
      await customer.patch(path, { plan_id: 'pro' }),
    ]) {
      expect([response.status, response.body.error.code]).toEqual([403, 'AUTH_FORBIDDEN']);
    }
  });

  it('leaves asking for a larger plan to the tenant', async () => {
    await customer.post('/v1/self-serve/plan/upgrade-request', { target_plan: 'pro' }).expect(202);
  });
});
