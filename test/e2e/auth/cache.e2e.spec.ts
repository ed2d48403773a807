import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import supertest from 'supertest';
import { createHttpApp, type HttpApp } from '../../../src/app/http-app.js';
import { openInfrastructure, type Infrastructure } from '../../../src/app/infrastructure.js';
import { ApiKeys } from '../../../src/features/auth/index.js';
import type { Role } from '../../../src/kernel/principal.js';
import { TestApp, type Actor } from '../../harness/app.js';
import { eventually } from '../../harness/eventually.js';
import { ShiftedClock } from './shifted-clock.js';

const TTL_SECONDS = 60;

const clock = new ShiftedClock();
let app: TestApp;
let shared: Infrastructure;
let replica: HttpApp;
let replicaUrl: string;

beforeAll(async () => {
  app = await TestApp.start({ AUTH_CACHE_TTL_S: String(TTL_SECONDS) }, { clock });
  const { settings, database, state, logger } = app.infrastructure;
  // A second process as far as it can be one in here: its own caches, and its own connection where there is Redis.
  shared = await openInfrastructure(settings, {
    clock,
    logger,
    database: { ...database, close: () => Promise.resolve() },
    ...(state.distributed ? {} : { state }),
  });
  replica = await createHttpApp(shared);
  replicaUrl = `http://127.0.0.1:${await replica.listen(0)}`;
});
afterAll(async () => {
  await replica.close();
  await shared.close();
  await app.close();
});

const keys = () => app.app.nest.get(ApiKeys);
const onBoth = async ({ token }: { token: string }) => {
  const ask = (url: string) => supertest(url).get('/v1/corpora').set('Authorization', `Bearer ${token}`);
  const [first, second] = await Promise.all([ask(app.url), ask(replicaUrl)]);
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
