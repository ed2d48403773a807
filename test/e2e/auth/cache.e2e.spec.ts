import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import supertest from 'supertest';
import { ApiKeys } from '../../../src/features/auth/index.js';
import type { Role } from '../../../src/kernel/principal.js';
import { TestApp, type Actor } from '../../harness/app.js';
import { eventually } from '../../harness/eventually.js';
import { Replica } from '../../harness/replica.js';
import { ShiftedClock } from './shifted-clock.js';

const TTL_SECONDS = 60;

const clock = new ShiftedClock();
let app: TestApp;
let replica: Replica;

beforeAll(async () => {
  app = await TestApp.start({ AUTH_CACHE_TTL_S: String(TTL_SECONDS) }, { clock });
  replica = await Replica.of(app);
});
afterAll(async () => {
  await replica.close();
  await app.close();
});

const keys = () => app.app.nest.get(ApiKeys);
const onBoth = async ({ token }: { token: string }) => {
  const ask = (url: string) => supertest(url).get('/v1/corpora').set('Authorization', `Bearer ${token}`);
  const [first, second] = await Promise.all([ask(app.url), ask(replica.url)]);
  return [first.status, second.status];
};
const setRole = (actor: Actor, role: Role) =>
  app.rows(`UPDATE users SET role = $2 WHERE id = $1 RETURNING id`, [actor.userId, role]);

/** An actor whose key both processes have in their cache. */
async function cachedActor(role: Role = 'reader'): Promise<Actor> {
  const actor = await app.actor(role);
  expect(await onBoth(actor)).toEqual([200, 200]);
  expect(await onBoth(actor)).toEqual([200, 200]);
  const cached = (await app.audit(actor.tenantId)).filter(({ metadata_json }) => {
    return (metadata_json as { auth_cache?: boolean }).auth_cache === true;
  });
  expect(cached).not.toEqual([]);
  return actor;
}

class Gate {
  open: () => void = () => undefined;
  readonly opened = new Promise<void>((resolve) => (this.open = resolve));
}

describe('a cached key', () => {
  // Whoever finds a key leaked revokes it and believes it dead: no process may go on letting it in.
  it('is refused everywhere within a second of its revocation', async () => {
    const actor = await cachedActor();
    const started = performance.now();
    await app.as(actor.tenantId, () => keys().revoke(actor.keyId));
    await eventually(async () => expect(await onBoth(actor)).toEqual([401, 401]));
    expect(performance.now() - started).toBeLessThan(1000);
  });

  it('is refused everywhere once it is rotated', async () => {
    const actor = await cachedActor();
    const next = await app.as(actor.tenantId, () => keys().rotate(actor.keyId));
    await eventually(async () => expect(await onBoth(actor)).toEqual([401, 401]));
    expect(await onBoth(next)).toEqual([200, 200]);
  });

  it.each([
    ['disabled', (admin: Actor, keyId: string) => admin.patch(`/v1/admin/api-keys/${keyId}`, { active: false })],
    ['revoked by its tenant', (admin: Actor, keyId: string) => admin.post(`/v1/self-serve/api-keys/${keyId}/revoke`)],
  ])('is refused everywhere within a second once it is %s', async (_change, end) => {
    const actor = await cachedActor();
    const admin = await app.actor('admin', actor.tenantId);
    await end(admin, actor.keyId).expect(200);
    const started = performance.now();
    await actor.get('/v1/corpora').expect(401);
    await eventually(async () => expect(await onBoth(actor)).toEqual([401, 401]));
    expect(performance.now() - started).toBeLessThan(1000);
  });

  it('follows its expiry when that is moved', async () => {
    const actor = await cachedActor();
    const admin = await app.actor('admin', actor.tenantId);
    const soon = new Date(clock.now().getTime() + 30_000).toISOString();
    await admin.patch(`/v1/admin/api-keys/${actor.keyId}`, { expires_at: soon }).expect(200);
    clock.advance(31);
    await eventually(async () => expect(await onBoth(actor)).toEqual([401, 401]), 1000);
  });

  it('has its new role everywhere within a second', async () => {
    const actor = await cachedActor('reader');
    const request = { role: 'editor', name: 'second', userId: actor.userId } as const;
    await app.as(actor.tenantId, () => keys().create(request));
    await eventually(async () => {
      for (const url of [app.url, replica.url]) {
        const response = await supertest(url)
          .post('/v1/corpora')
          .set('Authorization', `Bearer ${actor.token}`)
          .send({});
        expect(response.status).toBe(422);
      }
    }, 1000);
  });

  // Whoever uses a key at the very moment of its revocation must not keep it alive for the cache's whole lifetime.
  it('is not remembered by a lookup that its revocation overtook', async () => {
    const actor = await app.actor('reader');
    const { uow } = app.infrastructure;
    const acrossTenants = uow.acrossTenants.bind(uow);
    const [found, revoked] = [new Gate(), new Gate()];
    uow.acrossTenants = async (reason, fn) => {
      const result = await acrossTenants(reason, fn);
      if (reason === 'authentication') {
        found.open();
        await revoked.opened;
      }
      return result;
    };
    try {
      const overtaken = actor.get('/v1/corpora').then(({ status }) => status);
      await found.opened;
      await app.as(actor.tenantId, () => keys().revoke(actor.keyId));
      revoked.open();
      expect(await overtaken).toBe(200);
    } finally {
      uow.acrossTenants = acrossTenants;
    }
    await actor.get('/v1/corpora').expect(401);
  });

  it('is refused when its time to live is over, also when the message was lost', async () => {
    const actor = await cachedActor();
    await app.rows(`UPDATE api_keys SET status = 'revoked', revoked_at = now() WHERE id = $1 RETURNING id`, [
      actor.keyId,
    ]);
    expect(await onBoth(actor)).toEqual([200, 200]);
    clock.advance(TTL_SECONDS + 1);
    expect(await onBoth(actor)).toEqual([401, 401]);
  });

  it('is refused at its expiry, however long it may be cached', async () => {
    const tenantId = await app.tenant();
    const key = await app.as(tenantId, () => keys().create({ role: 'reader', name: 'short', expiresInDays: 1 }));
    clock.advance(86_400 - 30);
    expect(await onBoth(key)).toEqual([200, 200]);
    clock.advance(31);
    expect(await onBoth(key)).toEqual([401, 401]);
  });

  it('has its new role when its time to live is over', async () => {
    const actor = await cachedActor('reader');
    await actor.post('/v1/corpora', { name: 'x' }).expect(403);
    await setRole(actor, 'editor');
    clock.advance(TTL_SECONDS + 1);
    await actor.post('/v1/corpora', { name: 'x' }).expect(201);
    await setRole(actor, 'reader');
    clock.advance(TTL_SECONDS + 1);
    await actor.post('/v1/corpora', { name: 'y' }).expect(403);
  });

  it('does not open for a neighbour of its token', async () => {
    const actor = await cachedActor();
    const last = actor.token.endsWith('A') ? 'B' : 'A';
    expect(await onBoth({ token: actor.token.slice(0, -1) + last })).toEqual([401, 401]);
  });
});
