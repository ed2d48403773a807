import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { TestApp } from '../../test/harness/app.js';
import { COMMANDS } from '../cli/registry.js';
import { respond, servingContext } from '../cli/executor.js';
import { DataFolder } from '../platform/db/index.js';
import { bootstrap } from './bootstrap.js';

describe('the first start', () => {
  let test: TestApp;
  let folder: DataFolder;
  beforeAll(async () => {
    test = await TestApp.start();
    folder = new DataFolder(mkdtempSync(join(tmpdir(), 'nexusrag-test-')));
  });
  afterAll(async () => {
    await test.close();
    rmSync(folder.path, { recursive: true, force: true });
  });

  const start = () => bootstrap(test.app.nest, test.infrastructure, folder);
  const status = async (token: string): Promise<number> =>
    (await test.anonymous().get('/v1/corpora/c1').set('Authorization', `Bearer ${token}`)).status;

  it('makes a demo corpus of ten chunks and a key for it that only the owner can read', async () => {
    const { newKey = '', seedFault } = await start();
    expect(seedFault).toBeUndefined();
    expect(readFileSync(folder.demoKeyPath, 'utf8')).toBe(`${newKey}\n`);
    expect(statSync(folder.demoKeyPath).mode & 0o777).toBe(0o600);
    expect(await status(newKey)).toBe(200);
    const sql = `SELECT document_uri, count(*)::int AS chunks FROM chunks WHERE tenant_id = 't1' GROUP BY 1 ORDER BY 1`;
    expect(await test.rows(sql)).toEqual([
      { document_uri: 'demo://doc/1', chunks: 4 },
      { document_uri: 'demo://doc/2', chunks: 3 },
      { document_uri: 'demo://doc/3', chunks: 3 },
    ]);
    const plans = `SELECT plan_id FROM tenant_plan_assignments WHERE tenant_id = 't1' AND is_active`;
    expect(await test.rows(plans)).toEqual([{ plan_id: 'enterprise' }]);
  });

  it('is the only one that makes them', async () => {
    const before = readFileSync(folder.demoKeyPath, 'utf8');
    expect(await start()).toEqual({ keyPath: folder.demoKeyPath });
    expect(readFileSync(folder.demoKeyPath, 'utf8')).toBe(before);
    expect(await test.rows(`SELECT id FROM api_keys WHERE tenant_id = 't1'`)).toHaveLength(1);
  });

  it('lets every role read the demo and admins do all with it, as long as nobody has decided otherwise', async () => {
    const actors = await Promise.all((['reader', 'editor', 'admin'] as const).map((role) => test.actor(role, 't1')));
    const statuses = async (): Promise<number[]> =>
      Promise.all(actors.map(async (actor) => (await actor.get('/v1/documents/demo-1')).status));
    const [, editor, admin] = actors;
    expect(await statuses()).toEqual([200, 200, 200]);
    expect((await editor?.post('/v1/documents/demo-1/reindex'))?.status).toBe(403);
    expect((await admin?.put('/v1/documents/demo-1/labels', { labels: { a: 'b' } }))?.status).toBe(200);
    await test.rows(`DELETE FROM document_permissions WHERE document_id = 'demo-1' AND principal_id = 'reader'`);
    await start();
    expect(await statuses()).toEqual([403, 200, 200]);
    // As in a database of before there were grants.
    await test.rows(`DELETE FROM document_permissions WHERE document_id = 'demo-1'`);
    await start();
    expect(await statuses()).toEqual([200, 200, 200]);
  });

  // Somebody deletes var/db to start over; a key file of the old database would lock them out.
  it('replaces the key of a database that is gone', async () => {
    const stale = `nrgk_${'0'.repeat(32)}_${'a'.repeat(43)}\n`;
    writeFileSync(folder.demoKeyPath, stale);
    const { newKey = '' } = await start();
    expect(await status(newKey)).toBe(200);
    expect(readFileSync(folder.demoKeyPath, 'utf8')).toBe(`${newKey}\n`);
  });

  describe('commands inside the server', () => {
    const run = (command: string, args: Record<string, unknown>) =>
      respond({ command, args }, servingContext(test.app.nest, test.infrastructure), COMMANDS);

    it('create, rotate and revoke keys that the API obeys at once', async () => {
      const created = await run('keys create', { tenant: 'cli', role: 'reader', name: 'one' });
      const { key_id: id, token } = (created as { result: { key_id: string; token: string } }).result;
      expect(await status(token)).toBe(404);
      const rotated = await run('keys rotate', { oldKeyId: id });
      expect(await status(token)).toBe(401);
      const next = (rotated as { result: { key_id: string; token: string } }).result;
      expect(await status(next.token)).toBe(404);
      await run('keys revoke', { keyId: next.key_id });
      expect(await status(next.token)).toBe(401);
      const listed = await run('keys list', { tenant: 'cli' });
      expect(listed).toMatchObject({ ok: true, result: { items: [{ is_active: false }, { is_active: false }] } });
      const events = (await test.audit('cli')).map((row) => [row['event_type'], row['actor_type']]);
      expect(events).toEqual(
        expect.arrayContaining([
          ['auth.api_key.created', 'system'],
          ['auth.api_key.rotated', 'system'],
          ['auth.api_key.revoked', 'system'],
        ]),
      );
    });

    it('refuse a key that does not exist', async () => {
      expect(await run('keys revoke', { keyId: 'none' })).toMatchObject({ ok: false, code: 'NOT_FOUND', exitCode: 1 });
    });

    it('put a tenant on a plan that the API obeys at once', async () => {
      const tenant = await test.tenant('free');
      const admin = await test.actor('admin', tenant);
      const plan = async () => (await admin.get(`/v1/admin/plans/${tenant}`)).body.data.plan_id as string;
      expect(await plan()).toBe('free');
      const assigned = await run('plans assign', { planId: 'pro', tenant });
      expect(assigned).toMatchObject({ ok: true, result: { tenant_id: tenant, plan_id: 'pro' } });
      expect(await plan()).toBe('pro');
      for (const args of [
        { planId: 'nope', tenant },
        { planId: 'pro', tenant: 'nobody' },
      ]) {
        expect(await run('plans assign', args)).toMatchObject({ ok: false, code: 'NOT_FOUND', exitCode: 1 });
      }
    });

    it('seed once', async () => {
      expect(await run('seed demo', {})).toMatchObject({ ok: true, result: { seeded: false, chunks: 10 } });
    });

    it('smoke-test retrieval, and call a missing corpus a configuration error', async () => {
      const query = 'What are the release gates for Agent 2.0?';
      const found = await run('provider smoke', { tenant: 't1', corpus: 'c1', query, topK: 2 });
      expect(found).toMatchObject({
        ok: true,
        result: { provider: 'local_pgvector', items: [{ source: 'demo://doc/2' }, {}] },
      });
      const missing = await run('provider smoke', { tenant: 't1', corpus: 'c9', query });
      expect(missing).toMatchObject({ ok: false, code: 'RETRIEVAL_CONFIG_INVALID', exitCode: 2 });
      const tested = (await test.audit('t1')).filter(({ event_type }) => event_type === 'corpora.smoke_tested');
      expect(tested).toEqual([
        expect.objectContaining({ resource_id: 'c1', metadata_json: { provider: 'local_pgvector', passages: 2 } }),
      ]);
      // Governed, and attached to nothing: what /v1/run refuses is not printed either.
      const govern = (config: string) =>
        test.rows(`UPDATE corpora SET provider_config_json = ${config} WHERE id = 'c1'`);
      await govern(`jsonb_set(provider_config_json, '{retrieval,vector_db_id}', '1')`);
      const vetoed = await run('provider smoke', { tenant: 't1', corpus: 'c1', query });
      expect(vetoed).toMatchObject({ ok: false, code: 'VECTOR_DB_NOT_ATTACHED', exitCode: 1 });
      await govern(`provider_config_json #- '{retrieval,vector_db_id}'`);
    });

    it('find nothing wrong', async () => {
      expect(await run('doctor', {})).toMatchObject({ ok: true, result: { healthy: true } });
    });
  });
});
