import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Corpora } from '../../../src/features/corpora/index.js';
import { runInContext, systemContext } from '../../../src/kernel/context.js';
import { TestApp, type Actor } from '../../harness/app.js';

let app: TestApp;
let admin: Actor;
let editor: Actor;
let reader: Actor;
let corpusId: string;

beforeAll(async () => {
  app = await TestApp.start();
  admin = await app.actor('admin');
  editor = await app.actor('editor', admin.tenantId);
  reader = await app.actor('reader', admin.tenantId);
  corpusId = (await editor.post('/v1/corpora', { name: 'Corpus' }).expect(201)).body.data.id as string;
});
afterAll(() => app.close());

describe('roles', () => {
  const text = () => ({ corpus_id: corpusId, text: 'Penguins eat krill.' });

  it('let a reader read and ask, and change nothing', async () => {
    await reader.get('/v1/corpora').expect(200);
    await reader.get('/v1/documents').expect(200);
    await reader.post('/v1/run', { session_id: 's', corpus_id: corpusId, message: 'x', stream: false }).expect(200);
    for (const request of [
      reader.post('/v1/documents/text', text()),
      reader.post('/v1/documents'),
      reader.post('/v1/documents/d/reindex', {}),
      reader.delete('/v1/documents/d'),
      reader.post('/v1/corpora', { name: 'x' }),
      reader.patch(`/v1/corpora/${corpusId}`, { name: 'x' }),
      reader.delete(`/v1/corpora/${corpusId}`),
    ]) {
      const response = await request;
      expect([response.status, response.body.error.code]).toEqual([403, 'AUTH_FORBIDDEN']);
    }
  });

  it('let an editor add documents and change corpora, an admin do both', async () => {
    for (const actor of [editor, admin]) {
      await actor.post('/v1/documents/text', text()).expect(202);
      await actor.patch(`/v1/corpora/${corpusId}`, { name: `Renamed by ${actor.keyId}` }).expect(200);
    }
  });

  it('keep an editor from what only admins may do, and record it', async () => {
    const response = await editor.delete(`/v1/corpora/${corpusId}`).expect(403);
    expect(response.body.error.code).toBe('AUTH_FORBIDDEN');
    const events = (await app.audit(admin.tenantId)).filter(
      ({ request_id }) => request_id === response.get('X-Request-Id'),
    );
    expect(events.map(({ event_type, outcome }) => [event_type, outcome])).toEqual([
      ['auth.access.success', 'success'],
      ['rbac.forbidden', 'failure'],
    ]);
    expect(events[1]).toMatchObject({
      actor_type: 'api_key',
      actor_id: editor.keyId,
      actor_role: 'editor',
      subject_id: editor.userId,
      error_code: 'AUTH_FORBIDDEN',
      metadata_json: { path: `/v1/corpora/${corpusId}`, method: 'DELETE', required_role: 'admin' },
    });
  });
});

describe('tenants', () => {
  it('cannot be told apart from missing rows by their documents either', async () => {
    const accepted = await editor.post('/v1/documents/text', { corpus_id: corpusId, text: 'x' }).expect(202);
    const id = accepted.body.data.document_id as string;
    const stranger = await app.actor('admin');
    const error = (response: { status: number; body: { error: unknown } }) => [response.status, response.body.error];
    for (const ask of [
      (which: string) => stranger.get(`/v1/documents/${which}`),
      (which: string) => stranger.delete(`/v1/documents/${which}`),
      (which: string) => stranger.post(`/v1/documents/${which}/reindex`, {}),
    ]) {
      const foreign = error(await ask(id));
      expect(foreign).toEqual(error(await ask('missing')));
      expect(foreign[0]).toBe(404);
    }
    expect((await stranger.get('/v1/documents').expect(200)).body.data).toEqual([]);
    await app.grant(admin.tenantId, id, 'reader');
    await reader.get(`/v1/documents/${id}`).expect(200);
  });

  it('are never guessed: a call without one is refused', async () => {
    const corpora = app.app.nest.get(Corpora, { strict: false });
    const call = runInContext(systemContext('no-tenant'), () => corpora.list(10));
    await expect(call).rejects.toMatchObject({ code: 'AUTHZ_RLS_GUARD_FAILED', status: 500 });
  });

  // The last line: even SQL that forgot its predicate shows the application no foreign row.
  it('hide from each other in raw SQL as the application', async () => {
    const stranger = await app.actor('admin');
    const { uow } = app.infrastructure;
    const count = () => uow.rows<{ n: number }>('SELECT count(*)::int AS n FROM corpora');
    expect(await app.as(stranger.tenantId, () => uow.run(count))).toEqual([{ n: 0 }]);
    expect(await app.as(stranger.tenantId, () => uow.read(count))).toEqual([{ n: 0 }]);
    expect(await app.as(admin.tenantId, () => uow.read(count))).toEqual([{ n: 1 }]);
    const without = await app.dataSource.transaction(async (manager) => {
      await manager.query('SET LOCAL ROLE nexusrag_app');
      await manager.query(`SELECT set_config('app.tenant_id', '', true)`);
      return manager.query<unknown>('SELECT count(*)::int AS n FROM corpora');
    });
    expect(without).toEqual([{ n: 0 }]);
  });
});
