import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { KeyBindings } from '../../../src/features/provider-keys/index.js';
import { TestApp, type Actor } from '../../harness/app.js';
import {
  at,
  ATTESTED,
  dataOf,
  DIGEST,
  keysOf,
  ledgerOf,
  listOf,
  newBinding,
  newKey,
  newRotation,
  refusal,
  SIGNATURE,
  type Json,
} from './custody.js';

let app: TestApp;
let admin: Actor;
let other: Actor;
let editor: Actor;
let stranger: Actor;

beforeAll(async () => {
  app = await TestApp.start();
  admin = await app.actor('admin');
  other = await app.actor('admin', admin.tenantId);
  editor = await app.actor('editor', admin.tenantId);
  stranger = await app.actor('admin');
});
afterAll(() => app.close());

const postureOf = async (bindingId: string) => {
  const bindings = app.app.nest.get(KeyBindings, { strict: false });
  const { uow } = app.infrastructure;
  return (await app.as(admin.tenantId, () => uow.read(() => bindings.postures([bindingId])))).get(bindingId);
};

describe('registration', () => {
  it('18 case 15: a key with an attestation is active, and its signature is never shown', async () => {
    const more = { alias: 'ledger', key_ref: 'arn:aws:kms:eu:1:key/2', key_ref_provider: 'aws_kms' };
    const key = await newKey(admin, { ...more, rotation_due_at: '2030-01-31T09:00:00+01:00' });
    const [found] = listOf(await editor.get(keysOf(key.provider)).expect(200));
    expect(found).toEqual({
      ...more,
      id: key.key,
      provider_id: key.provider,
      state: 'active',
      rotation_due_at: '2030-01-31T08:00:00.000Z',
      attestation_digest: DIGEST,
      attestation_signature_registered: true,
      attestation_verified_at: expect.any(String),
      activated_at: found?.['attestation_verified_at'],
      retired_at: null,
      compromised_at: null,
      version: 0,
      created_at: expect.any(String),
      updated_at: expect.any(String),
    });
    await newRotation(admin, key);
    const seen = [key.path, keysOf(key.provider), `${keysOf(key.provider)}/audit`, '/v1/providers'];
    for (const path of seen) expect((await admin.get(path).expect(200)).text).not.toContain(SIGNATURE);
  });

  it.each<[string, Json, number, string]>([
    ['without a signature', { attestation_digest: DIGEST }, 400, 'ATTESTATION_REQUIRED'],
    ['without a digest', { attestation_digest: null, attestation_signature: SIGNATURE }, 400, 'ATTESTATION_REQUIRED'],
    ['with an empty signature', { ...ATTESTED, attestation_signature: '' }, 400, 'ATTESTATION_REQUIRED'],
    [
      'with a digest that is not base64',
      { ...ATTESTED, attestation_digest: '%%%' },
      400,
      'ATTESTATION_ENCODING_INVALID',
    ],
    ['with a digest of 5 bytes', { ...ATTESTED, attestation_digest: 'aGVsbG8=' }, 400, 'ATTESTATION_ENCODING_INVALID'],
    [
      'with a signature of 1 MB',
      { ...ATTESTED, attestation_signature: 'A'.repeat(1024 * 1024) },
      400,
      'ATTESTATION_ENCODING_INVALID',
    ],
    ['with a day as deadline', { ...ATTESTED, rotation_due_at: '2030-01-31' }, 400, 'ROTATION_DUE_INVALID'],
    ['with a number as digest', { ...ATTESTED, attestation_digest: 1 }, 422, 'REQUEST_VALIDATION_ERROR'],
    ['with a number as deadline', { ...ATTESTED, rotation_due_at: 1 }, 422, 'REQUEST_VALIDATION_ERROR'],
    ['with a long alias', { ...ATTESTED, alias: 'a'.repeat(129) }, 422, 'REQUEST_VALIDATION_ERROR'],
    ['with an unknown key management', { ...ATTESTED, key_ref_provider: 'mine' }, 422, 'REQUEST_VALIDATION_ERROR'],
    ['with a PEM as reference', { ...ATTESTED, key_ref: '-----BEGIN KEY-----' }, 422, 'REQUEST_VALIDATION_ERROR'],
    [
      'with a PEM as reference that looks like a URI',
      { ...ATTESTED, key_ref: 'key:-----BEGIN-PRIVATE-KEY-----' },
      422,
      'REQUEST_VALIDATION_ERROR',
    ],
    ['with a text as reference', { ...ATTESTED, key_ref: 'the red one' }, 422, 'REQUEST_VALIDATION_ERROR'],
    ['with the key itself', { ...ATTESTED, private_key: 'x' }, 422, 'REQUEST_VALIDATION_ERROR'],
  ])('18 case 15: is refused %s', async (_name, body, status, code) => {
    const provider = randomUUID();
    expect(refusal(await admin.post(keysOf(provider), body))).toEqual([status, code]);
    expect(listOf(await admin.get(keysOf(provider)).expect(200))).toEqual([]);
  });

  it.each(['arn:aws:kms:eu-central-1:1234:key/2', 'https://vault/v1/transit/keys/a', 'transit/keys/a', 'tenant-key'])(
    'takes %s as the place of a key',
    async (key_ref) => {
      const { path } = await newKey(admin, { key_ref });
      expect(dataOf(await admin.get(path).expect(200))).toMatchObject({ key_ref });
    },
  );

  it('needs an admin, and a provider that is named by a UUID', async () => {
    expect(refusal(await editor.post(keysOf(randomUUID()), ATTESTED))).toEqual([403, 'AUTH_FORBIDDEN']);
    expect(refusal(await admin.post(keysOf('x'), ATTESTED))).toEqual([422, 'REQUEST_VALIDATION_ERROR']);
    expect(refusal(await admin.get(`${keysOf(randomUUID())}/x`))).toEqual([422, 'REQUEST_VALIDATION_ERROR']);
  });

  it('makes a provider for the tenant, once, and lists its keys newest first, page by page', async () => {
    const owner = await app.actor('admin');
    const first = await newKey(owner);
    const second = await newKey(owner, {}, first.provider.toUpperCase());
    const providers = listOf(await owner.get('/v1/providers').expect(200));
    expect(providers).toEqual([
      expect.objectContaining({ id: first.provider, name: first.provider, attestation_jwks: null }),
    ]);
    const page = await owner.get(`${keysOf(first.provider)}?limit=1`).expect(200);
    expect(listOf(page).map(({ id }) => id)).toEqual([second.key]);
    const { next_cursor } = (page.body as { meta: { page: { next_cursor: string } } }).meta.page;
    const rest = await owner.get(`${keysOf(first.provider)}?limit=1&cursor=${next_cursor}`).expect(200);
    expect(listOf(rest).map(({ id }) => id)).toEqual([first.key]);
    const events = (await app.audit(owner.tenantId)).map(({ event_type }) => event_type);
    expect(events.filter((event) => String(event).startsWith('provider'))).toEqual([
      'provider.registered',
      'provider_key.registered',
      'provider_key.registered',
    ]);
  });
});

describe('providers', () => {
  it('are made by name, and say what their keys let happen', async () => {
    const owner = await app.actor('admin');
    const made = dataOf(await owner.post('/v1/providers', { name: ' HSM ' }).expect(200));
    expect(made).toMatchObject({ name: 'HSM', posture: { state: null, vetoed: true, notes: ['missing'] } });
    expect(refusal(await owner.post('/v1/providers', { name: 'HSM' }))).toEqual([409, 'CONFLICT']);
    expect(refusal(await owner.post('/v1/providers', { name: '  ' }))).toEqual([422, 'REQUEST_VALIDATION_ERROR']);
    const noSigners = { name: 'X', attestation_jwks: { keys: [] } };
    expect(refusal(await owner.post('/v1/providers', noSigners))).toEqual([422, 'VALIDATION_ERROR']);
    await newKey(owner, {}, String(made['id']));
    expect(listOf(await owner.get('/v1/providers').expect(200))).toMatchObject([
      { name: 'HSM', posture: { state: 'active', vetoed: false, notes: [] } },
    ]);
  });
});

describe('rotation', () => {
  it('18 case 16: leaves the key usable until another admin approves it', async () => {
    const key = await newKey(admin);
    const binding = await newBinding(admin, key);
    const id = await newRotation(admin, key);
    const rotating = dataOf(await admin.get(key.path).expect(200));
    expect(rotating).toMatchObject({ state: 'rotating', version: 1, bindings: { active: 1, revoked: 0 } });
    expect(rotating['rotations']).toEqual([
      {
        id,
        provider_key_id: key.key,
        requested_at: expect.any(String),
        approved_at: null,
        status: 'pending_approval',
        evidence_uri: null,
        request_actor_ref: 'change-4711',
        approval_actor_ref: null,
        failure_reason: null,
        attestation_digest: DIGEST,
        attestation_signature_verified: false,
        metadata: { attestation_digest: DIGEST },
      },
    ]);
    expect(await postureOf(binding)).toMatchObject({ notes: ['rotation-in-progress'], vetoed: false });
    const approve = at(key, `rotations/${id}/approve`);
    expect(refusal(await admin.post(approve, {}))).toEqual([403, 'FOUR_EYES_REQUIRED']);
    for (const evidence_uri of ['javascript:alert(1)', 'evidence', 'https://<script>']) {
      expect(refusal(await other.post(approve, { evidence_uri }))).toEqual([422, 'REQUEST_VALIDATION_ERROR']);
    }
    const evidence = { evidence_uri: 'https://evidence/1' };
    const approved = dataOf(await other.post(approve, evidence).expect(200));
    expect(approved).toMatchObject({ ...evidence, status: 'approved', approval_actor_ref: other.userId });
    const active = dataOf(await admin.get(key.path).expect(200));
    expect(active).toMatchObject({ state: 'active', version: 2 });
    const days = (Date.parse(String(active['rotation_due_at'])) - Date.now()) / 86_400_000;
    expect(Math.round(days)).toBe(90);
    expect(refusal(await other.post(approve, {}))).toEqual([409, 'ROTATION_NOT_PENDING']);
    expect(await ledgerOf(admin, key)).toEqual([
      'rotation_approved',
      'rotation_requested',
      'binding_attached',
      'registered',
    ]);
  });

  it('18 case 16: is not asked for without an actor, of a key elsewhere, or of one that has ended', async () => {
    const key = await newKey(admin);
    const ask = (path: string, more: Json = {}) =>
      admin.post(`${path}/rotations`, { ...ATTESTED, request_actor_ref: 'me', ...more });
    expect(refusal(await ask(key.path, { request_actor_ref: undefined }))).toEqual([400, 'REQUEST_ACTOR_REQUIRED']);
    expect(refusal(await ask(key.path, { request_actor_ref: '  ' }))).toEqual([400, 'REQUEST_ACTOR_REQUIRED']);
    expect(refusal(await ask(key.path, { attestation_digest: '%' }))).toEqual([400, 'ATTESTATION_ENCODING_INVALID']);
    expect(refusal(await ask(`${keysOf(randomUUID())}/${key.key}`))).toEqual([404, 'NOT_FOUND']);
    expect(refusal(await ask(key.path, { expected_version: 7 }))).toEqual([409, 'PROVIDER_KEY_VERSION_CONFLICT']);
    await ask(key.path, { expected_version: 0 }).expect(200);
    expect(refusal(await ask(key.path))).toEqual([409, 'ROTATION_ALREADY_PENDING']);
    await admin.post(at(key, 'revocations'), {}).expect(200);
    expect(refusal(await ask(key.path))).toEqual([409, 'PROVIDER_KEY_RETIRED']);
    await admin.post(at(key, 'revocations'), { mark_compromised: true }).expect(200);
    expect(refusal(await ask(key.path))).toEqual([409, 'PROVIDER_KEY_COMPROMISED']);
  });

  it('is rejected with a reason, by whoever asked, too, and may be asked for again', async () => {
    const key = await newKey(admin);
    const id = await newRotation(admin, key);
    const reject = at(key, `rotations/${id}/reject`);
    expect(refusal(await admin.post(reject, {}))).toEqual([422, 'REQUEST_VALIDATION_ERROR']);
    const rejected = dataOf(await admin.post(reject, { failure_reason: 'wrong key' }).expect(200));
    expect(rejected).toMatchObject({ status: 'failed', failure_reason: 'wrong key', approved_at: null });
    expect(dataOf(await admin.get(key.path).expect(200))).toMatchObject({ state: 'active', rotation_due_at: null });
    expect(refusal(await admin.post(reject, { failure_reason: 'x' }))).toEqual([409, 'ROTATION_NOT_PENDING']);
    await newRotation(admin, key);
  });

  it('is approved by nobody whom the request names, with a deadline that is one', async () => {
    const key = await newKey(admin);
    const id = await newRotation(admin, key, { request_actor_ref: other.userId });
    const approve = at(key, `rotations/${id}/approve`);
    expect(refusal(await other.post(approve, {}))).toEqual([403, 'FOUR_EYES_REQUIRED']);
    const third = await app.actor('admin', admin.tenantId);
    expect(refusal(await third.post(approve, { rotation_due_at: 'soon' }))).toEqual([400, 'ROTATION_DUE_INVALID']);
    await third.post(approve, { rotation_due_at: '2031-01-01T00:00:00Z' }).expect(200);
    expect(dataOf(await admin.get(key.path))['rotation_due_at']).toBe('2031-01-01T00:00:00.000Z');
    const missing = await third.post(at(key, `rotations/${randomUUID()}/approve`), {});
    expect(refusal(missing)).toEqual([404, 'NOT_FOUND']);
  });

  // Whichever came first, a key that was revoked must not come back.
  it('and a revocation at the same moment leave the key revoked, and its ledger in order', async () => {
    for (let round = 0; round < 5; round += 1) {
      const key = await newKey(admin);
      const id = await newRotation(admin, key);
      const [approved, revoked] = await Promise.all([
        other.post(at(key, `rotations/${id}/approve`), {}),
        admin.post(at(key, 'revocations'), { mark_compromised: true }),
      ]);
      expect([200, 409]).toContain(approved.status);
      expect(revoked.status).toBe(200);
      const ended = dataOf(await admin.get(key.path).expect(200));
      expect(ended).toMatchObject({ state: 'compromised', version: approved.status === 200 ? 3 : 2 });
      const status = approved.status === 200 ? 'approved' : 'failed';
      expect(ended['rotations']).toMatchObject([{ status }]);
      const ledger = await ledgerOf(admin, key);
      expect(ledger.slice(0, 2)).toEqual(['revocation_completed', 'revocation_initiated']);
      expect(ledger.includes('rotation_approved')).toBe(approved.status === 200);
    }
  });
});

describe('revocation', () => {
  it('18 case 17: of a compromised key takes its bindings with it, and leaves exactly two events', async () => {
    const key = await newKey(admin);
    const binding = await newBinding(admin, key);
    const before = await ledgerOf(admin, key);
    const body = { reason: 'leaked', mark_compromised: true, expected_version: 0 };
    const revoked = dataOf(await admin.post(at(key, 'revocations'), body).expect(200));
    expect(revoked).toMatchObject({ state: 'compromised', version: 1 });
    expect(revoked['compromised_at']).toEqual(expect.any(String));
    expect(revoked['retired_at']).toBe(revoked['compromised_at']);
    const events = listOf(await admin.get(`${keysOf(key.provider)}/audit`).expect(200));
    expect(events).toHaveLength(before.length + 2);
    expect(events.slice(0, 2).map(({ event }) => (event as Json)['payload'])).toEqual([
      { final_state: 'compromised', reason: 'leaked', revoked_bindings: 1 },
      { previous_state: 'active', reason: 'leaked', mark_compromised: true },
    ]);
    const [bound] = listOf(await editor.get(at(key, 'bindings')).expect(200));
    expect(bound).toMatchObject({ id: binding, revoked_reason: 'key compromised', version: 1 });
    expect(await postureOf(binding)).toMatchObject({
      state: 'compromised',
      bindingRevoked: true,
      vetoed: true,
      notes: ['not-active'],
      workloadStatus: 'pending-key-activation',
    });
    const trail = await app.audit(admin.tenantId);
    const recorded = trail.filter(({ resource_id }) => resource_id === key.key).map((row) => row['metadata_json']);
    expect(recorded.slice(-2)).toEqual([
      { provider_id: key.provider, key_id: key.key, version: 1 },
      { provider_id: key.provider, key_id: key.key, version: 1 },
    ]);
  });

  it('of a retired key leaves its bindings, and can become one of a compromised key', async () => {
    const key = await newKey(admin);
    const binding = await newBinding(admin, key);
    const revoke = (more: Json) => admin.post(at(key, 'revocations'), more);
    expect(refusal(await revoke({ expected_version: 1 }))).toEqual([409, 'PROVIDER_KEY_VERSION_CONFLICT']);
    const retired = dataOf(await revoke({}).expect(200));
    expect(retired).toMatchObject({ state: 'retired', compromised_at: null });
    expect(await postureOf(binding)).toMatchObject({ bindingRevoked: false, vetoed: true, notes: ['not-active'] });
    expect(refusal(await revoke({}))).toEqual([409, 'PROVIDER_KEY_ALREADY_REVOKED']);
    const compromised = dataOf(await revoke({ mark_compromised: true }).expect(200));
    expect(compromised).toMatchObject({ state: 'compromised', retired_at: retired['retired_at'] });
    expect(await postureOf(binding)).toMatchObject({ bindingRevoked: true });
    expect(refusal(await revoke({ mark_compromised: true }))).toEqual([409, 'PROVIDER_KEY_ALREADY_REVOKED']);
  });
});

describe('bindings', () => {
  it('18 case 18: of one key to one target are one, in sequence and ten at once', async () => {
    const key = await newKey(admin);
    const bind = (target: string) =>
      admin.post(at(key, 'bindings'), { binding_type: 'corpus', binding_target_id: target });
    const target: string = randomUUID();
    await bind(target).expect(200);
    expect(refusal(await bind(target))).toEqual([409, 'BINDING_ALREADY_EXISTS']);
    const contested = randomUUID();
    const answers = await Promise.all(Array.from({ length: 10 }, () => bind(contested)));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array.from({ length: 9 }, () => 409)]);
    expect(listOf(await admin.get(at(key, 'bindings')))).toHaveLength(2);
    expect((await ledgerOf(admin, key)).filter((type) => type === 'binding_attached')).toHaveLength(2);
  });

  it('are revoked once, listed still, and made anew', async () => {
    const key = await newKey(admin);
    const target = { binding_type: 'vector_db', binding_target_id: randomUUID(), additional_context: { a: 1 } };
    const id = await newBinding(admin, key, target);
    const revoke = at(key, `bindings/${id}/revoke`);
    const revoked = dataOf(await admin.post(revoke, { reason: 'moved' }).expect(200));
    expect(revoked).toEqual({
      id,
      provider_key_id: key.key,
      binding_type: 'vector_db',
      binding_target_id: target.binding_target_id,
      binding_scope: { a: 1 },
      created_at: expect.any(String),
      revoked_at: expect.any(String),
      revoked_reason: 'moved',
      version: 1,
    });
    expect(refusal(await admin.post(revoke, {}))).toEqual([409, 'BINDING_ALREADY_REVOKED']);
    expect(await postureOf(id)).toMatchObject({ bindingRevoked: true, vetoed: true, notes: ['missing'] });
    const again = await newBinding(admin, key, target);
    const listed = listOf(await editor.get(at(key, 'bindings')).expect(200));
    expect(listed.map((binding) => binding['id'])).toEqual([again, id]);
  });

  it.each<[string, Json, number, string]>([
    ['no type', { binding_type: undefined }, 400, 'BINDING_TYPE_REQUIRED'],
    ['a blank type', { binding_type: ' ' }, 400, 'BINDING_TYPE_REQUIRED'],
    ['an unknown type', { binding_type: 'house' }, 422, 'REQUEST_VALIDATION_ERROR'],
    ['a type that is no text', { binding_type: 1 }, 422, 'REQUEST_VALIDATION_ERROR'],
    ['no target', { binding_target_id: undefined }, 422, 'REQUEST_VALIDATION_ERROR'],
    ['a target that is no UUID', { binding_target_id: '7' }, 422, 'REQUEST_VALIDATION_ERROR'],
    ['a scope that is a list', { additional_context: [] }, 422, 'REQUEST_VALIDATION_ERROR'],
    [
      'a scope of more than 16 KiB',
      { additional_context: { x: 'y'.repeat(16 * 1024) } },
      422,
      'REQUEST_VALIDATION_ERROR',
    ],
  ])('are refused with %s', async (_name, fault, status, code) => {
    const key = await newKey(admin);
    const body = { binding_type: 'vector_db', binding_target_id: randomUUID(), ...fault };
    expect(refusal(await admin.post(at(key, 'bindings'), body))).toEqual([status, code]);
  });

  it('of a key that has ended are refused', async () => {
    const key = await newKey(admin);
    await admin.post(at(key, 'revocations'), {}).expect(200);
    const body = { binding_type: 'vector_db', binding_target_id: randomUUID() };
    expect(refusal(await admin.post(at(key, 'bindings'), body))).toEqual([409, 'PROVIDER_KEY_NOT_USABLE']);
  });
});

describe('18 case 8: another tenant', () => {
  it('finds neither keys, rotations, bindings nor events, and has its own under the same provider', async () => {
    const key = await newKey(admin);
    const binding = await newBinding(admin, key);
    const rotation = await newRotation(admin, key);
    const revocation = await stranger.post(at(key, 'revocations'), {});
    const missing = await stranger.post(`${keysOf(key.provider)}/${randomUUID()}/revocations`, {});
    const body = (response: { body: Json }): unknown => response.body['error'];
    expect([revocation.status, body(revocation)]).toEqual([404, body(missing)]);
    const attempts = await Promise.all([
      stranger.get(key.path),
      stranger.get(at(key, 'bindings')),
      stranger.post(at(key, `bindings/${binding}/revoke`), {}),
      stranger.post(at(key, `rotations/${rotation}/approve`), {}),
      stranger.post(at(key, 'bindings'), { binding_type: 'corpus', binding_target_id: randomUUID() }),
      stranger.get(`${keysOf(key.provider)}/stream`),
    ]);
    expect(attempts.map(refusal)).toEqual(attempts.map(() => [404, 'NOT_FOUND']));
    for (const path of ['', '/audit']) {
      expect(listOf(await stranger.get(keysOf(key.provider) + path).expect(200))).toEqual([]);
    }
    const own = await newKey(stranger, {}, key.provider);
    expect(listOf(await stranger.get(keysOf(key.provider))).map(({ id }) => id)).toEqual([own.key]);
    expect(listOf(await admin.get(keysOf(key.provider))).map(({ id }) => id)).toEqual([key.key]);
    const bindings = app.app.nest.get(KeyBindings, { strict: false });
    const { uow } = app.infrastructure;
    await app.as(stranger.tenantId, () =>
      uow.run(async () => {
        expect(await bindings.lock(binding)).toBeUndefined();
        expect((await bindings.postures([binding])).size).toBe(0);
      }),
    );
  });
});

describe('tiers', () => {
  const TIERS = '/v1/admin/provider-tiers';
  const required = (...tiers: string[]) => {
    const bindings = app.app.nest.get(KeyBindings, { strict: false });
    return app.as(admin.tenantId, () => app.infrastructure.uow.read(() => bindings.required(tiers)));
  };

  it('say whether a key is needed: the first that is decided counts', async () => {
    const { provider } = await newKey(admin);
    const put = (tier: string, byok_required?: boolean) =>
      admin.put(`${TIERS}/${tier}`, {
        provider_id: provider,
        ...(byok_required === undefined ? {} : { byok_required }),
      });
    const tier = 'classification:restricted';
    expect(refusal(await admin.get(`${TIERS}/${tier}`))).toEqual([404, 'NOT_FOUND']);
    const written = dataOf(await put(tier).expect(200));
    expect(written).toMatchObject({ tier, provider_id: provider, byok_required: false });
    await put('plan:enterprise', true).expect(200);
    expect(await required(tier, 'plan:enterprise')).toBe(false);
    expect(await required('classification:public', 'plan:enterprise')).toBe(true);
    await put(tier, true).expect(200);
    expect(dataOf(await admin.get(`${TIERS}/${tier}`))).toMatchObject({ byok_required: true });
    expect(await required(tier, 'plan:enterprise')).toBe(true);
    await admin.delete(`${TIERS}/${tier}`).expect(204);
    await admin.delete(`${TIERS}/plan:enterprise`).expect(204);
    expect(await required(tier, 'plan:enterprise')).toBe(false);
    await admin.delete(`${TIERS}/${tier}`).expect(204);
    expect(refusal(await admin.get(`${TIERS}/${tier}`))).toEqual([404, 'NOT_FOUND']);
  });

  it('are classifications and plans, of a provider that there is, decided by admins', async () => {
    const body = { provider_id: randomUUID() };
    expect(refusal(await admin.put(`${TIERS}/gold`, body))).toEqual([422, 'REQUEST_VALIDATION_ERROR']);
    expect(refusal(await admin.put(`${TIERS}/plan:pro`, body))).toEqual([404, 'NOT_FOUND']);
    expect(refusal(await editor.get(`${TIERS}/plan:pro`))).toEqual([403, 'AUTH_FORBIDDEN']);
  });
});

describe('under /api', () => {
  it('bodies are bare and lists are arrays, errors are those of v1, and nothing is deprecated', async () => {
    const provider = randomUUID();
    const created = await admin.post(`/api/providers/${provider}/keys`, ATTESTED).expect(200);
    expect(created.body).toMatchObject({ provider_id: provider, state: 'active' });
    const listed = await admin.get(`/api/providers/${provider}/keys?limit=1`).expect(200);
    expect(listed.body).toEqual([created.body]);
    expect(listed.headers).not.toHaveProperty('deprecation');
    const refused = await admin.post(`/api/providers/${provider}/keys`, {}).expect(400);
    expect(refused.body).toEqual({
      error: { code: 'ATTESTATION_REQUIRED', message: expect.any(String) },
      meta: { request_id: expect.any(String), api_version: 'v1' },
    });
    expect((await admin.get(`/providers/${provider}/keys`).expect(200)).headers).toMatchObject({ deprecation: 'true' });
  });

  it('a repetition with the same key is answered in the shape of its own path', async () => {
    const path = `providers/${randomUUID()}/keys`;
    const ask = (prefix: string) => admin.post(`${prefix}/${path}`, ATTESTED).set('Idempotency-Key', 'bare');
    const bare = await ask('/api').expect(200);
    const again = await ask('/api').expect(200);
    expect([again.text, again.get('Idempotency-Replayed')]).toEqual([bare.text, 'true']);
    expect(dataOf(await ask('/v1').expect(200))['provider_id']).toBe((bare.body as Json)['provider_id']);
  });
});

describe('a tenant without the feature', () => {
  it('is refused', async () => {
    const poor = await app.actor('admin');
    const override = { feature_key: 'feature.byok', enabled: false };
    await poor.patch(`/v1/admin/plans/${poor.tenantId}/overrides`, override).expect(200);
    expect(refusal(await poor.post(keysOf(randomUUID()), ATTESTED))).toEqual([403, 'FEATURE_NOT_ENABLED']);
    expect(refusal(await poor.get('/api/providers'))).toEqual([403, 'FEATURE_NOT_ENABLED']);
  });
});
