import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Response, Test } from 'supertest';
import { TestApp, type Actor } from '../../harness/app.js';
import { configure, expectError, expectMismatch, OPERATED, pin } from './pinned.js';

let app: TestApp;
let operator: Actor;
beforeAll(async () => {
  app = await TestApp.start({ STATEWAVE_REGION: 'eu', ...OPERATED }, {}, false);
  await app.rows(`INSERT INTO tenants (id, name) VALUES ('ops', 'Operators')`);
  operator = await app.actor('admin', 'ops');
});
afterAll(() => app.close());

const path = (tenantId: string): string => `/v1/admin/tenants/${tenantId}/config`;
const get = (actor: Actor, tenantId = actor.tenantId): Test => actor.get(path(tenantId));
const patch = (actor: Actor, body: object, tenantId = actor.tenantId): Test => actor.patch(path(tenantId), body);
const dataOf = (response: Response): Record<string, unknown> =>
  (response.body as { data: Record<string, unknown> }).data;

/** Of changes, or of refusals, which are written later. */
async function eventsOf(tenantId: string, outcome = 'success'): Promise<unknown[]> {
  return (await app.audit(tenantId))
    .filter((event) => event['outcome'] === outcome)
    .filter(({ event_type }) => /^(tenant\.config|residency)\./.test(String(event_type)))
    .map(({ event_type, metadata_json }) => [event_type, metadata_json]);
}

describe('the configuration of a tenant', () => {
  it('19 case 10: begins empty, is merged, counts its versions and refuses what it does not know', async () => {
    const admin = await app.actor('admin');
    expect(dataOf(await get(admin).expect(200))).toEqual({
      tenant_id: admin.tenantId,
      config: {},
      version: 0,
      created_at: null,
      updated_at: null,
    });
    expect(dataOf(await get(operator, 'nobody-knows-it').expect(200))).toMatchObject({ config: {}, version: 0 });
    const first = dataOf(await patch(admin, { policy_mode: 'enforce', receipts: 'always' }).expect(200));
    expect(first).toMatchObject({ config: { policy_mode: 'enforce', receipts: 'always' }, version: 1 });
    const second = dataOf(await patch(admin, { receipts: 'never', policy_mode: null }).expect(200));
    expect(second).toMatchObject({ config: { policy_mode: 'enforce', receipts: 'never' }, version: 2 });
    expect(second['created_at']).toBe(first['created_at']);
    for (const body of [
      { policy_mode: 'enforced' },
      { receipts: 'sometimes' },
      { receipt_retention_days: -1 },
      { receipt_retention_days: 36_501 },
      { receipt_retention_days: 1.5 },
      { require_caller_identity: 'yes' },
      { expected_version: -1 },
      { foo: 1 },
    ]) {
      expectError(await patch(admin, body), 422, 'REQUEST_VALIDATION_ERROR');
    }
    expect(dataOf(await get(admin).expect(200))).toEqual(second);
    expect(dataOf(await patch(admin, {}).expect(200))).toMatchObject({ config: second['config'], version: 3 });
    expect(await eventsOf(admin.tenantId)).toEqual([
      ['tenant.config.updated', { updated_keys: ['policy_mode', 'receipts'], version: 1 }],
      ['tenant.config.updated', { updated_keys: ['receipts'], version: 2 }],
      ['tenant.config.updated', { updated_keys: [], version: 3 }],
    ]);
  });

  it('keeps stored keys that it does not know', async () => {
    const admin = await app.actor('admin');
    await configure(app, admin.tenantId, { of_a_later_version: { a: [1] }, receipts: 'always' });
    const changed = dataOf(await patch(admin, { receipts: 'never' }).expect(200));
    expect(changed['config']).toEqual({ of_a_later_version: { a: [1] }, receipts: 'never' });
  });

  it('19 case 11: is changed by whoever has seen the current version, and by one of many at once', async () => {
    const admin = await app.actor('admin');
    const early = await patch(admin, { expected_version: 3, receipts: 'never' });
    expect([early.status, early.body.error.message]).toEqual([
      409,
      'version mismatch: expected 3, got 0 (no row exists yet)',
    ]);
    expect(dataOf(await get(admin))).toMatchObject({ version: 0 });
    await patch(admin, { expected_version: 0, receipts: 'never' }).expect(200);
    const late = await patch(admin, { expected_version: 0, receipts: 'always' });
    expectError(late, 409, 'TENANT_CONFIG_VERSION_CONFLICT');
    expect(late.body.error.message).toBe('version mismatch: expected 0, current is 1');
    for (const [expected, tenant] of [
      [1, admin],
      [0, await app.actor('admin')],
    ] as const) {
      const race = await Promise.all(
        Array.from({ length: 20 }, (_, index) =>
          patch(tenant, { expected_version: expected, receipt_retention_days: index }),
        ),
      );
      expect(race.map(({ status }) => status).sort()).toEqual([200, ...Array.from({ length: 19 }, () => 409)]);
      expect(dataOf(await get(tenant))).toMatchObject({ version: expected + 1 });
    }
  });

  it('loses no change of many without a version', async () => {
    const admin = await app.actor('admin');
    const bodies = [{ receipts: 'always' }, { policy_mode: 'enforce' }, { require_caller_identity: true }];
    await Promise.all(bodies.map((body) => patch(admin, body).expect(200)));
    expect(dataOf(await get(admin))).toMatchObject({
      version: 3,
      config: { receipts: 'always', policy_mode: 'enforce', require_caller_identity: true },
    });
  });

  it('19 case 12: is not pinned away from here unless it is forced, and an operator mends it', async () => {
    const { tenantId, ...admin } = await app.actor('admin');
    const refused = await patch(operator, { region: 'us', reason: 'asked for' }, tenantId);
    expect([refused.status, refused.body.error.code, refused.body.error.message]).toEqual([
      422,
      'residency.invalid_pin',
      "this server is running in region 'eu'; pinning a tenant to 'us' from here would lock the tenant out (every subsequent request would 403). Patch the pin from a server running in the target region, or set STATEWAVE_REGION to match if this server should serve it.",
    ]);
    expect(await app.rows('SELECT * FROM tenant_configs WHERE tenant_id = $1', [tenantId])).toEqual([]);
    const both = await patch(operator, { region: 'us', expected_version: 7 }, tenantId);
    expectError(both, 422, 'residency.invalid_pin');
    const forced = dataOf(await patch(operator, { region: 'us', force_region_pin: true }, tenantId).expect(200));
    expect(forced).toMatchObject({ config: { region: 'us' }, version: 1 });
    expect(Object.keys(forced['config'] as object)).toEqual(['region']);
    expectMismatch(await admin.get('/v1/corpora'), tenantId, 'us');
    expect(dataOf(await get(operator, tenantId).expect(200))).toMatchObject({ config: { region: 'us' } });
    await patch(operator, { region: 'eu' }, tenantId).expect(200);
    await admin.get('/v1/corpora').expect(200);
    const unpinned = dataOf(await patch(operator, { region: '' }, tenantId).expect(200));
    expect(unpinned).toMatchObject({ config: {}, version: 3 });
    const pinned = (version: number, from: string | null, to: string | null, forced = false): unknown[] => [
      ['tenant.config.updated', { updated_keys: ['region'], version }],
      ['residency.pin.changed', { from, to, forced, reason: null, config_version: version }],
    ];
    expect(await eventsOf(tenantId)).toEqual([
      ...pinned(1, null, 'us', true),
      ...pinned(2, 'us', 'eu'),
      ...pinned(3, 'eu', null),
    ]);
    expect(await eventsOf(tenantId, 'failure')).toEqual([
      ['residency.pin.refused', { to: 'us', forced: false, reason: 'asked for' }],
      ['residency.pin.refused', { to: 'us', forced: false, reason: null }],
      ['residency.mismatch', { tenant_region: 'us', route: '/v1/corpora', method: 'GET' }],
    ]);
  });

  it.each([
    ' eu',
    'eu ',
    'e u',
    ' ',
    'eu\n',
    'eu\u00a0',
    'e\u200bu',
    'eu\u0000',
    '\ufeffeu',
    'e'.repeat(65),
    42,
    ['eu'],
    { a: 1 },
    true,
  ])('is not pinned to %j', async (region) => {
    const response = await patch(operator, { region, force_region_pin: true }, 'pinned-to-nothing');
    expectError(response, 422, 'REQUEST_VALIDATION_ERROR');
    expect(dataOf(await get(operator, 'pinned-to-nothing'))).toMatchObject({ version: 0 });
  });

  it.each(['EU', 'ｅｕ', 'еu', 'eu-1'])('takes %s for another region than eu', async (region) => {
    const response = await patch(operator, { region }, 'looks-alike');
    expectError(response, 422, 'residency.invalid_pin');
    const tenant = await app.actor('admin');
    await pin(app, tenant.tenantId, region);
    expectMismatch(await tenant.get('/v1/corpora'), tenant.tenantId, region);
  });

  it('does not let a tenant have fewer receipts written than operators demand', async () => {
    const admin = await app.actor('admin');
    await patch(admin, { receipts: 'on_request' }).expect(200);
    await patch(operator, { receipt_enforcement: 'required', receipts: 'always' }, admin.tenantId).expect(200);
    for (const receipts of ['never', 'on_request']) {
      expectError(await patch(admin, { receipts }), 403, 'PLATFORM_OPERATOR_REQUIRED');
    }
    const kept = dataOf(await patch(admin, { receipts: 'always', policy_mode: 'enforce' }).expect(200));
    expect(kept).toMatchObject({ config: { receipts: 'always', receipt_enforcement: 'required' }, version: 3 });
    await patch(operator, { receipts: 'never' }, admin.tenantId).expect(200);
    await patch(operator, { receipt_enforcement: 'best_effort' }, admin.tenantId).expect(200);
    await patch(admin, { receipts: 'on_request' }).expect(200);
  });

  it('19 case 13: leaves to operators what a tenant must not decide, and other tenants to nobody else', async () => {
    const admin = await app.actor('admin');
    for (const body of [
      { region: 'eu' },
      { region: '' },
      { receipt_signing_key_id: 'k1' },
      { receipt_enforcement: 'required' },
      { egress_mode: 'off' },
      { force_region_pin: true },
    ]) {
      expectError(await patch(admin, body), 403, 'PLATFORM_OPERATOR_REQUIRED');
      if (!('force_region_pin' in body)) await patch(operator, body, admin.tenantId).expect(200);
    }
    await patch(admin, { force_region_pin: false, receipts: 'always' }).expect(200);
    const other = await app.actor('admin');
    await pin(app, admin.tenantId, 'us');
    for (const call of [get(other, admin.tenantId), patch(other, { receipts: 'never' }, admin.tenantId)]) {
      const response = await call;
      expectError(response, 403, 'AUTH_FORBIDDEN');
      expect(response.text).not.toContain('us');
    }
    const editor = await app.actor('editor', other.tenantId);
    expectError(await get(editor), 403, 'AUTH_FORBIDDEN');
    expectMismatch(await get(admin), admin.tenantId, 'us');
    expectError(await get(operator, 'no%20id'), 404, 'NOT_FOUND');
  });

  it('is changed once by a request that is repeated with its key', async () => {
    const { tenantId } = await app.actor('admin');
    const send = (): Test => patch(operator, { egress_mode: 'block' }, tenantId).set('Idempotency-Key', tenantId);
    const answers = [dataOf(await send().expect(200)), dataOf(await send().expect(200))];
    expect(answers[1]).toEqual(answers[0]);
    expect(dataOf(await get(operator, tenantId))).toMatchObject({ version: 1 });
  });

  it('answers under the path without a version, with bare bodies and the same errors', async () => {
    const { tenantId } = await app.actor('admin');
    const alias = `/admin/tenants/${tenantId}/config`;
    const pinned = await operator.patch(alias, { region: 'eu' }).expect(200);
    expect(pinned.body).toMatchObject({ tenant_id: tenantId, config: { region: 'eu' }, version: 1 });
    expect(pinned.headers).not.toHaveProperty('deprecation');
    expectError(await operator.patch(alias, { region: 'us' }), 422, 'residency.invalid_pin');
  });
});

describe('the status for operators', () => {
  it('counts pins and refusals, and is for operators only', async () => {
    const tenant = await app.actor('admin');
    await pin(app, tenant.tenantId, 'ap');
    const before = dataOf(await operator.get('/v1/ops/residency').expect(200));
    await tenant.get('/v1/corpora').expect(403);
    const after = dataOf(await operator.get('/v1/ops/residency').expect(200));
    expect(after).toMatchObject({ zone: 'eu', fail_open_total: 0 });
    expect(after['pinned_tenants']).toContainEqual({ region: 'ap', tenants: 1 });
    expect(Number(after['mismatch_total'])).toBe(Number(before['mismatch_total']) + 1);
    const other = await app.actor('admin');
    expectError(await other.get('/v1/ops/residency'), 403, 'PLATFORM_OPERATOR_REQUIRED');
  });
});
