import { createHash, generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { KeyBindings, RotationSla, type BindingPosture } from '../../../src/features/provider-keys/index.js';
import { TestApp, type Actor } from '../../harness/app.js';
import { OpenStream, parseEvents, type StreamEvent } from '../../harness/sse.js';
import { Replica } from '../../harness/replica.js';
import { ShiftedClock } from '../auth/shifted-clock.js';
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
  type Json,
  type NamedKey,
} from './custody.js';

const HOUR_S = 3600;
const clock = new ShiftedClock();
const inHours = (hours: number): string => new Date(clock.now().getTime() + hours * HOUR_S * 1000).toISOString();

let app: TestApp;
let admin: Actor;
let replica: Replica;

beforeAll(async () => {
  app = await TestApp.start({}, { clock }, false);
  admin = await app.actor('admin');
  replica = await Replica.of(app);
});
afterAll(async () => {
  await replica.close();
  await app.close();
});

const sla = (nest = app.app.nest): RotationSla => nest.get(RotationSla, { strict: false });
const bindings = (): KeyBindings => app.app.nest.get(KeyBindings, { strict: false });

describe('18 case 19: deadlines', () => {
  /** What a scan says of one key. */
  async function reportOn({ key }: NamedKey): Promise<[string, boolean][]> {
    const { approaching, breached } = await sla().scan();
    const of = (list: typeof breached, name: string): [string, boolean][] =>
      list.filter((item) => item.provider_key_id === key).map((item) => [name, item.event_emitted]);
    return [...of(approaching, 'approaching'), ...of(breached, 'breached')];
  }

  it('that were missed are announced once in six hours, and listed by every scan', async () => {
    const key = await newKey(admin, { rotation_due_at: inHours(-1) });
    expect(await reportOn(key)).toEqual([['breached', true]]);
    expect(await reportOn(key)).toEqual([['breached', false]]);
    clock.advance(5.9 * HOUR_S);
    expect(await reportOn(key)).toEqual([['breached', false]]);
    expect(await ledgerOf(admin, key)).toEqual(['rotation_sla_breached', 'registered']);
    clock.advance(0.2 * HOUR_S);
    expect(await reportOn(key)).toEqual([['breached', true]]);
    const [latest] = listOf(await admin.get(`${keysOf(key.provider)}/audit?limit=1`).expect(200));
    expect((latest?.['event'] as Json)['payload']).toEqual({
      rotation_due_at: expect.any(String),
      state: 'active',
      evaluated_at: expect.any(String),
    });
    const trail = (await app.audit(admin.tenantId)).filter(({ resource_id }) => resource_id === key.key);
    expect(trail.at(-1)).toMatchObject({
      event_type: 'provider_key.rotation_sla_breached',
      actor_type: 'system',
      metadata_json: { provider_id: key.provider, key_id: key.key, version: 0 },
    });
  });

  it('that come close are announced, and again when they are missed', async () => {
    const key = await newKey(admin, { rotation_due_at: inHours(23) });
    expect(await reportOn(key)).toEqual([['approaching', true]]);
    expect(await reportOn(key)).toEqual([['approaching', false]]);
    const [warning] = listOf(await admin.get(`${keysOf(key.provider)}/audit?limit=1`).expect(200));
    expect((warning?.['event'] as Json)['payload']).toMatchObject({ warning_window_seconds: 86_400, state: 'active' });
    clock.advance(23 * HOUR_S);
    expect(await reportOn(key)).toEqual([['breached', true]]);
  });

  it('far away, of none, or of a key that has ended are none of it; a rotating key has one', async () => {
    const far = await newKey(admin, { rotation_due_at: inHours(25) });
    const none = await newKey(admin);
    const ended = await newKey(admin, { rotation_due_at: inHours(-1) });
    await admin.post(at(ended, 'revocations'), {}).expect(200);
    for (const key of [far, none, ended]) expect(await reportOn(key)).toEqual([]);
    const rotating = await newKey(admin, { rotation_due_at: inHours(1) });
    await newRotation(admin, rotating);
    expect(await reportOn(rotating)).toEqual([['approaching', true]]);
  });

  it('are announced once by scans of two processes at the same moment', async () => {
    const keys = await Promise.all(
      Array.from({ length: 4 }, async () => newKey(await app.actor('admin'), { rotation_due_at: inHours(-1) })),
    );
    const reports = await Promise.all([sla().scan(), sla(replica.app.nest).scan(), sla().scan()]);
    const emitted = reports.flatMap(({ breached }) => breached).filter(({ event_emitted }) => event_emitted);
    const rows = await app.rows<{ key: string; events: number }>(
      `SELECT provider_key_id AS key, count(*)::int AS events FROM provider_key_audit_events
        WHERE provider_key_id = ANY ($1) AND event_type = 'rotation_sla_breached' GROUP BY 1`,
      [keys.map(({ key }) => key)],
    );
    expect(rows.map(({ events }) => events)).toEqual(keys.map(() => 1));
    for (const { key } of keys) {
      expect(emitted.filter(({ provider_key_id }) => provider_key_id === key)).toHaveLength(1);
    }
  });

  it('18 case 16: end the time in which a rotating key may be used', async () => {
    const key = await newKey(admin);
    const binding = await newBinding(admin, key);
    await newRotation(admin, key);
    const posture = () =>
      app.as(admin.tenantId, () => app.infrastructure.uow.read(() => bindings().postures([binding])));
    clock.advance(40 * HOUR_S);
    expect((await posture()).get(binding)).toMatchObject({ vetoed: false, notes: ['rotation-in-progress'] });
    clock.advance(33 * HOUR_S);
    expect((await posture()).get(binding)).toMatchObject({
      vetoed: true,
      notes: ['rotation-overdue', 'not-active'],
      workloadStatus: 'pending-key-rotation',
    });
  });
});

describe('a veto', () => {
  it('is written down once a minute for each workload', async () => {
    const key = await newKey(admin);
    const binding = await newBinding(admin, key);
    await admin.post(at(key, 'revocations'), {}).expect(200);
    const record = (workload: string) =>
      app.as(admin.tenantId, () =>
        app.infrastructure.uow.run(async () => {
          const posture = (await bindings().postures([binding])).get(binding) as BindingPosture;
          await bindings().recordVeto(posture, workload);
        }),
      );
    await Promise.all([record('c1'), record('c1'), record('c2')]);
    await record('c1');
    clock.advance(60);
    await record('c1');
    const types = (await ledgerOf(admin, key)).filter((type) => type === 'runtime_veto');
    expect(types).toHaveLength(3);
    const trail = (await app.audit(admin.tenantId)).filter(({ resource_id }) => resource_id === key.key);
    expect(trail.at(-1)).toMatchObject({
      event_type: 'provider_key.runtime_veto',
      outcome: 'failure',
      metadata_json: { binding_id: binding, notes: ['not-active'] },
    });
  });
});

describe('the ledger', () => {
  it('is read by key, by state then or now, and by time, page by page', async () => {
    const first = await newKey(admin);
    const second = await newKey(admin, {}, first.provider);
    clock.advance(HOUR_S);
    const [before, after] = [inHours(-0.5), inHours(0.5)];
    await admin.post(at(first, 'revocations'), { reason: 'old' }).expect(200);
    const read = async (query: string): Promise<string[]> =>
      listOf(await admin.get(`${keysOf(first.provider)}/audit?${query}`).expect(200)).map(({ event }) => {
        const { event_type, provider_key_id } = event as Json;
        return `${String(event_type)} ${provider_key_id === first.key ? 1 : 2}`;
      });
    const revocation = ['revocation_completed 1', 'revocation_initiated 1'];
    const registrations = ['registered 2', 'registered 1'];
    expect(await read('')).toEqual([...revocation, ...registrations]);
    expect(await read(`key_id=${second.key}`)).toEqual(['registered 2']);
    expect(await read(`key_id=${randomUUID()}`)).toEqual([]);
    expect(await read('state=retired')).toEqual([...revocation, 'registered 1']);
    expect(await read('state=active')).toEqual(registrations);
    expect(await read(`start=${before}`)).toEqual(revocation);
    expect(await read(`end=${before}`)).toEqual(registrations);
    expect(await read(`start=${before}&end=${after}`)).toEqual(revocation);
    const [newest] = listOf(await admin.get(`${keysOf(first.provider)}/audit?limit=1`));
    const { occurred_at } = newest?.['event'] as { occurred_at: string };
    expect(await read(`start=${occurred_at}&end=${occurred_at}`)).toEqual(revocation);
    expect(newest).toMatchObject({ provider_key_state: 'retired' });
    const page = await admin.get(`${keysOf(first.provider)}/audit?limit=3`).expect(200);
    const { next_cursor } = (page.body as { meta: { page: { next_cursor: string } } }).meta.page;
    expect(await read(`cursor=${next_cursor}`)).toEqual(['registered 1']);
  });

  it.each(['limit=0', 'limit=501', 'start=yesterday', 'key_id=x', 'colour=red'])(
    'is not read with %s',
    async (query) => {
      const response = await admin.get(`${keysOf(randomUUID())}/audit?${query}`);
      expect(refusal(response)).toEqual([422, 'REQUEST_VALIDATION_ERROR']);
    },
  );

  it('cannot be changed', async () => {
    const key = await newKey(admin);
    for (const statement of [
      'UPDATE provider_key_audit_events SET payload = NULL',
      'DELETE FROM provider_key_audit_events',
    ]) {
      await expect(app.rows(`${statement} WHERE provider_key_id = $1`, [key.key])).rejects.toThrow(/permission denied/);
    }
  });
});

describe('the stream of events', () => {
  const follow = (key: NamedKey, url = app.url, headers: Record<string, string> = {}) =>
    OpenStream.get(`${url}/api/providers/${key.provider}/keys/stream`, admin.token, headers);
  const typeOf = ({ data }: StreamEvent): string => (data as { event: { event_type: string } }).event.event_type;
  const is = (type: string) => (event: StreamEvent) => typeOf(event) === type;

  it('tells what was and what comes, in every process, as the ledger has it', async () => {
    const key = await newKey(admin);
    const streams = [await follow(key), await follow(key, replica.url)];
    for (const stream of streams) await stream.until(is('registered'));
    await newBinding(admin, key);
    await admin.post(at(key, 'revocations'), {}).expect(200);
    const ledger = listOf(await admin.get(`${keysOf(key.provider)}/audit`).expect(200)).reverse();
    for (const stream of streams) {
      await stream.until(is('revocation_completed'));
      expect(stream.events.map(typeOf)).toEqual([
        'registered',
        'binding_attached',
        'revocation_initiated',
        'revocation_completed',
      ]);
      expect(stream.events.at(-1)?.data).toEqual(ledger.at(-1));
      expect(stream.events.map(({ id }) => id)).toEqual(ledger.map(({ event }) => String((event as Json)['id'])));
      stream.abort();
    }
  });

  it('goes on after the event that was last seen, and ends where that is asked for', async () => {
    const key = await newKey(admin);
    await newBinding(admin, key);
    await newRotation(admin, key);
    const whole = await admin.get(`${keysOf(key.provider)}/stream?follow=false`).expect(200);
    expect(whole.get('Content-Type')).toMatch(/^text\/event-stream/);
    const events = parseEvents(whole.text);
    expect(events.map(typeOf)).toEqual(['registered', 'binding_attached', 'rotation_requested']);
    const path = `${keysOf(key.provider)}/stream?follow=false`;
    const rest = await admin
      .get(path)
      .set('Last-Event-ID', events[1]?.id ?? '')
      .expect(200);
    expect(parseEvents(rest.text).map(typeOf)).toEqual(['rotation_requested']);
    expect(refusal(await admin.get(path).set('Last-Event-ID', 'x'))).toEqual([422, 'REQUEST_VALIDATION_ERROR']);
    await app.anonymous().head(path).set('Authorization', `Bearer ${admin.token}`).expect(200);
  });

  it('is for sixteen at once in a tenant', async () => {
    const owner = await app.actor('admin');
    const key = await newKey(owner);
    const open = () => OpenStream.get(`${app.url}${keysOf(key.provider)}/stream`, owner.token);
    const streams = await Promise.all(Array.from({ length: 16 }, open));
    for (const stream of streams) await stream.until(is('registered'));
    expect(refusal(await owner.get(`${keysOf(key.provider)}/stream`))).toEqual([503, 'SERVICE_BUSY']);
    for (const stream of streams) stream.abort();
  });
});

describe('attestations that are verified', () => {
  const signer = generateKeyPairSync('ed25519');
  const digest = createHash('sha256').update('an attestation').digest();
  const signed = {
    attestation_digest: digest.toString('base64'),
    attestation_signature: sign(null, digest, signer.privateKey).toString('base64'),
  };
  let strict: TestApp;
  let owner: Actor;
  let provider: string;

  beforeAll(async () => {
    strict = await TestApp.start({ BYOK_ATTESTATION_MODE: 'verify' }, {}, false);
    owner = await strict.actor('admin');
    const attestation_jwks = { keys: [signer.publicKey.export({ format: 'jwk' })] };
    provider = String(dataOf(await owner.post('/v1/providers', { name: 'HSM', attestation_jwks }).expect(200))['id']);
  });
  afterAll(() => strict.close());

  it('make a key active when a signer of the provider signed them, and else none', async () => {
    const { state, attestation_verified_at } = dataOf(await owner.post(keysOf(provider), signed).expect(200));
    expect([state, attestation_verified_at]).toEqual(['active', expect.any(String)]);
    const forged = await owner.post(keysOf(provider), { ...signed, attestation_digest: DIGEST });
    expect(refusal(forged)).toEqual([400, 'ATTESTATION_SIGNATURE_INVALID']);
    expect(listOf(await owner.get(keysOf(provider)))).toHaveLength(1);
  });

  it('are demanded of rotations, too', async () => {
    const key = { provider, key: String(dataOf(await owner.post(keysOf(provider), signed))['id']), path: '' };
    const path = `${keysOf(provider)}/${key.key}/rotations`;
    const forged = await owner.post(path, { ...ATTESTED, request_actor_ref: 'me' });
    expect(refusal(forged)).toEqual([400, 'ATTESTATION_SIGNATURE_INVALID']);
    const rotation = dataOf(await owner.post(path, { ...signed, request_actor_ref: 'me' }).expect(200));
    expect(rotation['attestation_signature_verified']).toBe(true);
  });

  it('leave a key of a provider without signers unused', async () => {
    const key = await newKey(owner);
    const found = dataOf(await owner.get(key.path).expect(200));
    expect(found).toMatchObject({ state: 'pending_registration', activated_at: null, attestation_verified_at: null });
    const body = { binding_type: 'corpus', binding_target_id: randomUUID() };
    expect(refusal(await owner.post(at(key, 'bindings'), body))).toEqual([409, 'PROVIDER_KEY_NOT_USABLE']);
    const rotation = await owner.post(at(key, 'rotations'), { ...signed, request_actor_ref: 'me' });
    expect(refusal(rotation)).toEqual([409, 'PROVIDER_KEY_NOT_ACTIVE']);
    await owner.post(at(key, 'revocations'), {}).expect(200);
  });

  it('activate what waited for a signer once there is one', async () => {
    const waiting = await newKey(owner, signed);
    const forged = await newKey(owner, {}, waiting.provider);
    const path = `/v1/providers/${waiting.provider}`;
    const attestation_jwks = { keys: [signer.publicKey.export({ format: 'jwk' })] };
    const nobody = { attestation_jwks: { keys: [] } };
    expect(refusal(await owner.patch(path, nobody))).toEqual([422, 'VALIDATION_ERROR']);
    const stranger = await strict.actor('admin');
    expect(refusal(await stranger.patch(path, { attestation_jwks }))).toEqual([404, 'NOT_FOUND']);
    const changed = dataOf(await owner.patch(path, { attestation_jwks }).expect(200));
    expect(changed).toMatchObject({ attestation_jwks, posture: { state: 'active', vetoed: false } });
    const active = dataOf(await owner.get(waiting.path).expect(200));
    expect(active).toMatchObject({ state: 'active', version: 1, attestation_verified_at: active['activated_at'] });
    expect(active['activated_at']).toEqual(expect.any(String));
    expect(dataOf(await owner.get(forged.path).expect(200))).toMatchObject({ state: 'pending_registration' });
    expect(await ledgerOf(owner, waiting)).toEqual(['activation_approved', 'registered', 'registered']);
    const updated = (await strict.audit(owner.tenantId)).filter(({ event_type }) => event_type === 'provider.updated');
    expect(updated.map(({ metadata_json }) => metadata_json)).toEqual([
      { provider_id: waiting.provider, signers: 1, previous_signers: 0, activated_keys: 1 },
    ]);
    await newKey(owner, signed, waiting.provider);
  });

  it('are judged again when a rotation is approved that was asked for when nobody looked', async () => {
    const key = await newKey(owner, signed, provider);
    const rotation = await newRotation(owner, key, signed);
    const believed = (signature: string) =>
      strict.rows(
        `UPDATE provider_key_rotations SET attestation_signature = $2, attestation_verified = false WHERE id = $1`,
        [rotation, signature],
      );
    const other = await strict.actor('admin', owner.tenantId);
    const approve = () => other.post(at(key, `rotations/${rotation}/approve`), {});
    await believed(ATTESTED.attestation_signature);
    expect(refusal(await approve())).toEqual([400, 'ATTESTATION_SIGNATURE_INVALID']);
    expect(dataOf(await owner.get(key.path).expect(200))).toMatchObject({ state: 'rotating' });
    await believed(signed.attestation_signature);
    expect(dataOf(await approve().expect(200))).toMatchObject({ attestation_signature_verified: true });
  });
});

describe('keys that are switched off', () => {
  it('18 §14: answer 503, while what needs one can still be decided', async () => {
    const off = await TestApp.start({ BYOK_ENABLED: 'false' }, {}, false);
    const owner = await off.actor('admin');
    const routes = off.app.manifest.routes.filter(({ path }) => path.startsWith('/v1/providers'));
    expect(routes).toHaveLength(15);
    for (const { method, path } of routes) {
      const named = path.replaceAll(/:\w+/g, randomUUID());
      const body = {
        ...(path === '/v1/providers' ? { name: 'x' } : {}),
        ...(method === 'PATCH' ? { attestation_jwks: {} } : {}),
        ...(path.endsWith('/reject') ? { failure_reason: 'x' } : {}),
        ...(path.endsWith('/bindings') ? { binding_type: 'corpus', binding_target_id: randomUUID() } : {}),
      };
      const send = method === 'PATCH' ? owner.patch(named, body) : owner.post(named, body);
      const response = await (method === 'GET' ? owner.get(named) : send);
      expect([method, path, ...refusal(response)]).toEqual([method, path, 503, 'FEATURE_TEMPORARILY_DISABLED']);
    }
    expect((await owner.get('/v1/admin/provider-tiers/plan:pro')).status).toBe(404);
    await off.close();
  });
});
