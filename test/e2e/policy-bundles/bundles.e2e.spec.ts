import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import supertest from 'supertest';
import { Tenants } from '../../../src/features/tenants/index.js';
import { TestApp, type Actor } from '../../harness/app.js';
import { Replica } from '../../harness/replica.js';
import { dataOf, expectRefused, itemsOf, type Json } from '../authz/authz.js';
import { newCorpus, putChunks } from '../retrieval/chunks.js';

const POLICY = '/v1/admin/policy';
const BUNDLES = `${POLICY}/bundles`;

let app: TestApp;
let replica: Replica;
let operator: Actor;
let admin: Actor;

beforeAll(async () => {
  app = await TestApp.start({ PLATFORM_OPERATOR_TENANTS: 'ops' }, {}, false);
  replica = await Replica.of(app);
  await app.app.nest.get(Tenants).ensure('ops');
  operator = await app.actor('admin', 'ops');
  admin = await app.actor('admin');
});
afterAll(async () => {
  await replica.close();
  await app.close();
});

let names = 0;
/** Rules that no other bundle has. */
const yaml = (name = `bundle ${(names += 1)}`): string => `# For tests.
version: 1
metadata: { name: ${name} }
rules:
  - id: no-pii
    when: { chunk_has_any_label: [pii] }
    action: deny
`;

const upload = async (by: Actor, more: Json = {}): Promise<Json> =>
  dataOf(await by.post(BUNDLES, { tenant_id: by.tenantId, yaml_content: yaml(), ...more }).expect(200));
const activate = (by: Actor, bundle_hash: unknown, tenant_id: string | null = by.tenantId) =>
  by.post(`${POLICY}/activate`, { bundle_hash, tenant_id });
const active = async (by: Actor): Promise<Json | null> => dataOf(await by.get(`${POLICY}/active`).expect(200));
const eventsOf = async (tenantId: string): Promise<Json[]> =>
  (await app.audit(tenantId)).filter(({ event_type }) => String(event_type).startsWith('policy_bundle.'));

describe('a bundle', () => {
  it('is stored with its hash, found by it, and in force once it is activated', async () => {
    const by = await app.actor('admin');
    const text = yaml();
    const stored = await upload(by, { yaml_content: text });
    expect(stored).toEqual({
      bundle_hash: expect.stringMatching(/^[0-9a-f]{64}$/),
      version: 1,
      rule_count: 1,
      tenant_id: by.tenantId,
      active: false,
      created_at: expect.any(String),
    });
    expect(await active(by)).toBeNull();
    const hash = String(stored['bundle_hash']);
    expect(dataOf(await activate(by, hash).expect(200))).toEqual({ bundle_hash: hash, active: true });
    const whole = {
      ...stored,
      active: true,
      yaml_content: text,
      metadata: { name: expect.any(String) },
      rules: [{ id: 'no-pii', description: '', when: { chunk_has_any_label: ['pii'] }, action: 'deny' }],
    };
    expect(await active(by)).toEqual(whole);
    expect(dataOf(await by.get(`${BUNDLES}/${hash}`).expect(200))).toEqual(whole);
    const metadata = { bundle_hash: hash, scope: 'tenant', rule_count: 1 };
    expect(
      (await eventsOf(by.tenantId)).map(({ event_type, outcome, metadata_json }) => [
        event_type,
        outcome,
        metadata_json,
      ]),
    ).toEqual([
      ['policy_bundle.uploaded', 'success', metadata],
      ['policy_bundle.activated', 'success', metadata],
    ]);
  });

  it('that is uploaded again, in other words, stays as it is, active or not, and leaves no event', async () => {
    const by = await app.actor('admin');
    const first = await upload(by, { yaml_content: yaml('same') });
    const again = {
      yaml_content: JSON.stringify({
        rules: [{ id: 'no-pii', when: { memory_has_any_label: ['pii'] }, action: 'deny' }],
        version: 1,
        metadata: { name: 'same' },
      }),
    };
    expect(await upload(by, again)).toEqual(first);
    expect(await upload(by, { ...again, activate: true })).toEqual({ ...first, active: true });
    expect(await upload(by, again)).toEqual({ ...first, active: true });
    expect((await active(by))?.['yaml_content']).toBe(yaml('same'));
    expect((await eventsOf(by.tenantId)).map(({ event_type }) => event_type)).toEqual([
      'policy_bundle.uploaded',
      'policy_bundle.activated',
    ]);
  });

  it('takes the place of the one that was active; the list has both, newest first, page by page', async () => {
    const by = await app.actor('admin');
    const first = await upload(by, { activate: true });
    const second = await upload(by, { activate: true });
    const hashes = (items: readonly Json[]): unknown[] => items.map(({ bundle_hash, active: on }) => [bundle_hash, on]);
    const expected = [
      [second['bundle_hash'], true],
      [first['bundle_hash'], false],
    ];
    const own = `${BUNDLES}?tenant_id=${by.tenantId}`;
    expect(hashes(itemsOf(await by.get(own).expect(200)))).toEqual(expected);
    const page = await by.get(`${own}&limit=1`).expect(200);
    const { next_cursor } = page.body.meta.page as { next_cursor: string };
    const rest = await by.get(`${own}&limit=1&cursor=${next_cursor}`).expect(200);
    expect(hashes([...itemsOf(page), ...itemsOf(rest)])).toEqual(expected);
    expect(rest.body.meta.page.has_more).toBe(false);
  });

  it('never is active beside another one of its scope, however many are activated at once', async () => {
    const by = await app.actor('admin');
    const stored = await Promise.all(Array.from({ length: 6 }, () => upload(by)));
    await Promise.all(stored.map(({ bundle_hash }) => activate(by, bundle_hash).expect(200)));
    const on = itemsOf(await by.get(`${BUNDLES}?tenant_id=${by.tenantId}`).expect(200)).filter(
      (bundle) => bundle['active'],
    );
    expect(on).toHaveLength(1);
    expect((await active(by))?.['bundle_hash']).toBe(on[0]?.['bundle_hash']);
  });

  it('is refused with the message of the parser, which names the rule, and nothing is stored', async () => {
    const by = await app.actor('admin');
    const refused = async (yaml_content: string): Promise<string> => {
      const response = await by.post(BUNDLES, { tenant_id: by.tenantId, yaml_content });
      expectRefused(response, 400, 'POLICY_BUNDLE_INVALID');
      return (response.body as { error: { message: string } }).error.message;
    };
    expect(await refused('version: 1\nrules: [')).toMatch(/line 2/);
    expect(await refused(yaml().replace('deny', 'hide'))).toBe('Rule "no-pii": action must be deny or redact.');
    expect(await refused(`${yaml()}# ${'x'.repeat(70_000)}`)).toMatch(/larger than 64 KB/);
    expect(itemsOf(await by.get(`${BUNDLES}?tenant_id=${by.tenantId}`).expect(200))).toEqual([]);
    expectRefused(await by.post(BUNDLES, { tenant_id: by.tenantId, yaml_content: 1 }), 422, 'REQUEST_VALIDATION_ERROR');
    expectRefused(await activate(by, 'x'), 422, 'REQUEST_VALIDATION_ERROR');
  });
});

describe('tenants', () => {
  it('19 case 23: that upload the same YAML have a row each with the same hash; activating one leaves the other', async () => {
    const [a, b] = [await app.actor('admin'), await app.actor('admin')];
    const yaml_content = yaml();
    const [ofA, ofB] = [await upload(a, { yaml_content }), await upload(b, { yaml_content })];
    expect(ofA['bundle_hash']).toBe(ofB['bundle_hash']);
    await activate(a, ofA['bundle_hash']).expect(200);
    expect([(await active(a))?.['tenant_id'], await active(b)]).toEqual([a.tenantId, null]);
    const rows = await app.rows(
      `SELECT tenant_id, active FROM policy_bundles WHERE bundle_hash = $1 ORDER BY active DESC`,
      [ofA['bundle_hash']],
    );
    expect(rows).toEqual([
      { tenant_id: a.tenantId, active: true },
      { tenant_id: b.tenantId, active: false },
    ]);
  });

  it('find no bundle of each other, and cannot name each other', async () => {
    const other = await app.actor('admin');
    const { bundle_hash: hash } = await upload(other);
    const missing = await admin.get(`${BUNDLES}/${'0'.repeat(64)}`);
    const foreign = await admin.get(`${BUNDLES}/${String(hash)}`);
    expectRefused(foreign, 404, 'NOT_FOUND');
    expect(foreign.body.error).toEqual(missing.body.error);
    expect(foreign.body.error.message).toMatch(/tenant_id/);
    expectRefused(await activate(admin, hash), 404, 'NOT_FOUND');
    for (const tenant of [other.tenantId, 'nobody']) {
      expectRefused(await activate(admin, hash, tenant), 404, 'NOT_FOUND');
      expectRefused(await admin.post(BUNDLES, { tenant_id: tenant, yaml_content: yaml() }), 404, 'NOT_FOUND');
      for (const path of [BUNDLES, `${BUNDLES}/${String(hash)}`, `${POLICY}/active`]) {
        expectRefused(await admin.get(`${path}?tenant_id=${tenant}`), 403, 'AUTH_FORBIDDEN');
      }
    }
    const editor = await app.actor('editor', admin.tenantId);
    expectRefused(await editor.get(BUNDLES), 403, 'AUTH_FORBIDDEN');
  });
});

describe('an operator', () => {
  it('changes and reads the bundles of a tenant that it names, and of none that does not exist', async () => {
    const theirs = await app.actor('admin');
    const stored = await upload(operator, { tenant_id: theirs.tenantId });
    expect(stored).toMatchObject({ tenant_id: theirs.tenantId, active: false });
    const hash = String(stored['bundle_hash']);
    const of = async (path: string): Promise<unknown> =>
      (await operator.get(`${path}?tenant_id=${theirs.tenantId}`).expect(200)).body.data;
    expect(await of(`${POLICY}/active`)).toBeNull();
    await activate(operator, hash, theirs.tenantId).expect(200);
    expect((await active(theirs))?.['bundle_hash']).toBe(hash);
    expect(await of(`${POLICY}/active`)).toMatchObject({ bundle_hash: hash });
    expect(await of(`${BUNDLES}/${hash}`)).toMatchObject({ bundle_hash: hash, active: true });
    expect(await of(BUNDLES)).toMatchObject({ items: [{ bundle_hash: hash }] });
    expect((await eventsOf(theirs.tenantId)).map(({ event_type, actor_id }) => [event_type, actor_id])).toEqual([
      ['policy_bundle.uploaded', operator.keyId],
      ['policy_bundle.activated', operator.keyId],
    ]);
    expect(await active(operator)).toBeNull();
    expectRefused(await activate(operator, hash, 'nobody'), 404, 'NOT_FOUND');
    expectRefused(await operator.post(BUNDLES, { tenant_id: 'nobody', yaml_content: yaml() }), 404, 'NOT_FOUND');
  });
});

describe('a rule about a type of caller that nobody has', () => {
  it('is stored, and the upload says so', async () => {
    const by = await app.actor('admin');
    const about = (type: string): string => yaml().replace('[pii] }', `[pii], caller_type_in: [admin, ${type}] }`);
    expect((await upload(by, { yaml_content: about('reader') }))['warnings']).toBeUndefined();
    expect((await upload(by, { yaml_content: about('marketing_tool') }))['warnings']).toEqual([
      'Rule "no-pii": no caller is of the type "marketing_tool". Types are reader, editor, admin, system.',
    ]);
  });
});

describe('a bundle of all tenants', () => {
  it('is changed by operators only, and read by every admin', async () => {
    const yaml_content = yaml();
    expectRefused(await admin.post(BUNDLES, { yaml_content }), 403, 'PLATFORM_OPERATOR_REQUIRED');
    const stored = dataOf(await operator.post(BUNDLES, { yaml_content }).expect(200));
    expect(stored).toMatchObject({ tenant_id: null, active: false });
    const hash = String(stored['bundle_hash']);
    expectRefused(await activate(admin, hash, null), 403, 'PLATFORM_OPERATOR_REQUIRED');
    expectRefused(await activate(admin, hash), 404, 'NOT_FOUND');
    expect(dataOf(await admin.get(`${BUNDLES}/${hash}`).expect(200))).toMatchObject({ tenant_id: null, yaml_content });
    expectRefused(await admin.get(`${BUNDLES}/${hash}?tenant_id=${admin.tenantId}`), 404, 'NOT_FOUND');
    expect(itemsOf(await admin.get(BUNDLES).expect(200)).map(({ bundle_hash }) => bundle_hash)).toContain(hash);
    expect((await eventsOf('ops')).at(-1)).toMatchObject({
      event_type: 'policy_bundle.uploaded',
      metadata_json: { bundle_hash: hash, scope: 'global', rule_count: 1 },
    });
    const denied = (await app.audit(admin.tenantId)).filter(({ event_type }) => event_type === 'rbac.forbidden');
    expect(denied.at(-1)).toMatchObject({ error_code: 'PLATFORM_OPERATOR_REQUIRED' });
  });

  it('is in force for tenants without one of their own, in every process at once', async () => {
    const reader = await app.actor('admin');
    const corpusId = await newCorpus(reader);
    const documentId = await putChunks(app, reader.tenantId, corpusId, [{ text: 'A penguin has a passport.' }]);
    await app.rows(`INSERT INTO document_labels (tenant_id, document_id, key, value) VALUES ($1, $2, 'label', 'pii')`, [
      reader.tenantId,
      documentId,
    ]);
    await app.rows(`INSERT INTO tenant_configs (tenant_id, config) VALUES ($1, '{"policy_mode": "enforce"}')`, [
      reader.tenantId,
    ]);
    /** What both processes find. */
    const found = async (): Promise<number[]> => {
      const ask = (url: string) =>
        supertest(url).get(`/v1/corpora/${corpusId}/search?q=penguin`).set('Authorization', `Bearer ${reader.token}`);
      const answers = [await ask(app.url).expect(200), await ask(replica.url).expect(200)];
      return answers.map((answer) => itemsOf(answer).length);
    };
    expect(await found()).toEqual([1, 1]);
    const global = dataOf(await operator.post(BUNDLES, { yaml_content: yaml(), activate: true }).expect(200));
    expect(await found()).toEqual([0, 0]);
    expect(await active(reader)).toMatchObject({ tenant_id: null, bundle_hash: global['bundle_hash'] });
    const own = await reader.get(`${POLICY}/active?tenant_id=${reader.tenantId}`).expect(200);
    expect(own.body.data).toBeNull();
    const nothing = { yaml_content: 'version: 1\nrules: []' };
    await upload(reader, { ...nothing, activate: true });
    expect(await found()).toEqual([1, 1]);
    expect(await active(reader)).toMatchObject({ tenant_id: reader.tenantId });
    // Changed past the API, which no process is told of until it is asked to look.
    await app.rows(`UPDATE policy_bundles SET active = false WHERE tenant_id = $1`, [reader.tenantId]);
    expect(await found()).toEqual([1, 1]);
    expect(dataOf(await reader.post(`${POLICY}/reload`).expect(200))).toEqual({ reloaded: true });
    expect(await found()).toEqual([0, 0]);
    await operator.post(BUNDLES, { ...nothing, activate: true }).expect(200);
    expect(await found()).toEqual([1, 1]);
  });
});
