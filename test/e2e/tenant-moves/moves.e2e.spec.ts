import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import supertest from 'supertest';
import { RetentionHolds } from '../../../src/features/audit/index.js';
import { TenantConfigs } from '../../../src/features/residency/index.js';
import { KeptArchives } from '../../../src/features/tenant-moves/index.js';
import { Tenants } from '../../../src/features/tenants/index.js';
import { ExportWork } from '../../../src/features/tenant-moves/application/export-work.js';
import { Moves } from '../../../src/features/tenant-moves/application/moves.js';
import { GROUPS } from '../../../src/features/tenant-moves/domain/tenant-tables.js';
import { dbSettings } from '../../../src/platform/db/index.js';
import type { Actor } from '../../harness/app.js';
import { idle } from '../../contract/examples.js';
import { codeOf, dataOf, Region, type MoveBody } from './regions.js';

let eu: Region;
let us: Region;
beforeAll(async () => {
  [eu, us] = [await Region.start('eu'), await Region.start('us')];
});
afterAll(async () => {
  await eu.close();
  await us.close();
});

interface Furnished {
  readonly admin: Actor;
  readonly tenantId: string;
  readonly corpusId: string;
}

/** A tenant with documents as texts and as a file, a grant, a label and a conversation. */
async function furnished(region = eu): Promise<Furnished> {
  const admin = await region.app.actor('admin');
  const corpus = await admin.post('/v1/corpora', { name: 'Harbour' }).expect(201);
  const corpusId = (corpus.body as { data: { id: string } }).data.id;
  for (const [id, text] of [
    ['opening', 'The harbour opens at nine.'],
    ['ships', 'Forty ships lie at anchor. The ferry leaves every hour.'],
  ]) {
    await admin.post('/v1/documents/text', { corpus_id: corpusId, document_id: id, text }).expect(202);
  }
  await supertest(region.app.url)
    .post('/v1/documents')
    .set('Authorization', `Bearer ${admin.token}`)
    .field('corpus_id', corpusId)
    .field('document_id', 'page')
    .attach('file', Buffer.from('<p>The lighthouse was built in 1901.</p>'), {
      filename: 'page.html',
      contentType: 'text/html',
    })
    .expect(202);
  await idle(region.app, admin.tenantId);
  await admin.put('/v1/documents/opening/labels', { labels: { level: 'high' } }).expect(200);
  await region.app.grant(admin.tenantId, 'opening', 'reader');
  await admin
    .post('/v1/run', { session_id: 's', corpus_id: corpusId, message: 'When does the harbour open?', stream: false })
    .expect(200);
  await region.chained(admin.tenantId);
  return { admin, tenantId: admin.tenantId, corpusId };
}

const MOVED = [
  'documents',
  'document_labels',
  'document_permissions',
  'chunks',
  'chunk_embeddings',
  'corpus_terms',
  'sessions',
  'messages',
  'checkpoints',
  'authorization_policies',
  'authorization_policy_versions',
  'tenant_plan_assignments',
  'users',
  'receipts',
  'receipt_chunks',
  'receipt_outcomes',
  'receipt_chain',
];
/** Columns that each region has for itself. */
const REGIONAL: Readonly<Record<string, string>> = { receipts: ` - 'status' - 'tombstoned_at'` };

async function rowsOf(region: Region, tenantId: string): Promise<Record<string, unknown[]>> {
  const found: Record<string, unknown[]> = {};
  for (const table of MOVED) {
    found[table] = await region.app.rows(
      `SELECT (to_jsonb(t)${REGIONAL[table] ?? ''})::text AS row FROM ${table} t WHERE tenant_id = $1 ORDER BY 1`,
      [tenantId],
    );
  }
  return found;
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ name }) => name);
}

const tenantsOf = (region: Region, tenantId: string): Promise<unknown[]> =>
  region.app.rows('SELECT id FROM tenants WHERE id = $1', [tenantId]);

async function planned(tenantId: string): Promise<Record<'id' | 'export_id' | 'delta_export_id', string>> {
  const response = await eu.operator
    .post('/v1/admin/residency/migrations', { tenant_id: tenantId, target_region: 'us' })
    .expect(201);
  return (response.body as { data: Record<'id' | 'export_id' | 'delta_export_id', string> }).data;
}

/** A migration as it would be after steps that are not what is tested. */
async function inState(id: string, state: string): Promise<void> {
  await eu.app.rows(`UPDATE residency_jobs SET state = $2 WHERE id = $1`, [id, state]);
}

const abort = (id: string): supertest.Test => eu.operator.post(`/v1/admin/residency/migrations/${id}/abort`);

const freezesOf = (tenantId: string): Promise<unknown[]> =>
  eu.app.rows('SELECT migration_id FROM tenant_freezes WHERE tenant_id = $1', [tenantId]);

interface Refusal {
  readonly error: { readonly code: string; readonly details: Readonly<Record<string, unknown>> };
}

async function migrate(id: string, verification?: MoveBody['verification']): Promise<supertest.Response> {
  return eu.operator.post(`/v1/admin/residency/migrations/${id}/advance`, verification == null ? {} : { verification });
}

describe('19 case 28: a tenant that is exported in eu for us', () => {
  let tenant: Furnished;
  let archive: Buffer;
  let exported: MoveBody;

  beforeAll(async () => {
    tenant = await furnished();
    exported = await eu.export(tenant.tenantId);
    archive = await eu.artifact(exported.job_id);
  });

  it('is an archive that tells nothing but for whom it is', () => {
    expect(exported).toMatchObject({ status: 'succeeded', counts: { documents: 3, blobs: 3, messages: 2 } });
    expect(exported.manifest).toMatchObject({ source_region: 'eu', target_region: 'us', watermark: exported.job_id });
    for (const text of [tenant.tenantId, 'harbour', 'lighthouse']) expect(archive.includes(text)).toBe(false);
  });

  it('is refused in its own region', async () => {
    const refusal = await eu.upload(archive);
    expect([refusal.status, codeOf(refusal)]).toEqual([409, 'residency.import_wrong_region']);
  });

  it('is refused when a byte of any part was changed, or one is missing or too many, and nothing is kept', async () => {
    const step = Math.max(1, Math.floor(archive.length / 40));
    const spoiled = [archive.subarray(0, -1), Buffer.concat([archive, Buffer.of(0)]), Buffer.alloc(0)];
    const label = archive.indexOf(10);
    for (let at = label - 80; at < archive.length; at += step) {
      const changed = Buffer.from(archive);
      changed[at] = (changed[at] ?? 0) ^ 1;
      spoiled.push(changed);
    }
    for (const bytes of spoiled) {
      const refusal = await us.upload(bytes, { dry_run: 'false' });
      expect([422, 409]).toContain(refusal.status);
      expect(codeOf(refusal)).toMatch(/import_invalid|import_wrong_region/);
    }
    expect(await tenantsOf(us, tenant.tenantId)).toEqual([]);
    expect(await us.app.rows('SELECT id FROM residency_jobs')).toEqual([]);
  });

  it('is only compared unless it is asked to be written', async () => {
    const accepted = await us.upload(archive);
    const compared = await us.ended(dataOf(accepted).status_url);
    expect(compared).toMatchObject({ status: 'succeeded', counts: { tables: { documents: { rows: 3, present: 0 } } } });
    expect(await tenantsOf(us, tenant.tenantId)).toEqual([]);
    const again = await us.operator
      .post('/v1/admin/import', { artifact_uri: compared.status_url, dry_run: false })
      .expect(202);
    expect(await us.ended(dataOf(again).status_url)).toMatchObject({ status: 'succeeded', counts: { differing: [] } });
  });

  it('is there as it was, vectors bit by bit, and once, also when it is imported again', async () => {
    const before = await rowsOf(eu, tenant.tenantId);
    expect(before['chunk_embeddings']?.length).toBeGreaterThan(2);
    expect(await rowsOf(us, tenant.tenantId)).toEqual(before);
    const again = await us.import(archive);
    expect(again).toMatchObject({ status: 'succeeded', counts: { differing: [] } });
    expect(await rowsOf(us, tenant.tenantId)).toEqual(before);
  });

  it('conflicts with what differs, which stays or is replaced as was asked', async () => {
    const change = `UPDATE documents SET filename = 'other' WHERE tenant_id = $1 AND id = 'ships'`;
    const nameThere = async (): Promise<unknown> =>
      (await us.app.rows(`SELECT filename FROM documents WHERE tenant_id = $1 AND id = 'ships'`, [tenant.tenantId]))[0];
    await us.app.rows(change, [tenant.tenantId]);
    expect(await us.import(archive)).toMatchObject({ status: 'failed', error_code: 'residency.import_conflict' });
    expect(await us.import(archive, { conflict: 'skip' })).toMatchObject({ counts: { differing: ['documents'] } });
    expect(await nameThere()).toEqual({ filename: 'other' });
    expect(await us.import(archive, { conflict: 'replace' })).toMatchObject({ counts: { differing: [] } });
    expect(await nameThere()).not.toEqual({ filename: 'other' });
  });

  it('is found and read there, and refused here, when both pin it there', async () => {
    const reader = await us.keyOf(tenant.admin);
    await us.pin(tenant.tenantId, 'us');
    await eu.pin(tenant.tenantId, 'us', true);
    const refusal = await tenant.admin.get('/v1/documents');
    expect([refusal.status, codeOf(refusal)]).toEqual([403, 'residency.mismatch']);
    const found = await reader.get(`/v1/corpora/${tenant.corpusId}/search?q=lighthouse`).expect(200);
    expect(found.text).toContain('1901');
    await reader.get('/v1/documents/page/content').expect(200);
    const question = { session_id: 'there', corpus_id: tenant.corpusId, message: 'When does it open?', stream: false };
    const answer = await reader.post('/v1/run', question).expect(200);
    const receipt = await reader.get(`/v1/receipts/${answer.get('X-Receipt-Id')}`).expect(200);
    expect(receipt.body).toMatchObject({ data: { region: 'us' } });
  });
});

describe('an import', () => {
  it('makes the configuration what it was, as a new version, which is obeyed at once', async () => {
    const { tenantId } = await furnished();
    const path = `/v1/admin/tenants/${tenantId}/config`;
    await eu.operator.patch(path, { receipts: 'always' }).expect(200);
    const archive = await eu.artifact((await eu.export(tenantId)).job_id);
    await us.import(archive);
    await us.operator.patch(path, { receipts: 'never' }).expect(200);
    const configs = us.app.app.nest.get(TenantConfigs, { strict: false });
    const receipts = async (): Promise<unknown> => (await us.app.as(tenantId, async () => configs.current())).receipts;
    const version = async (): Promise<number> =>
      ((await us.operator.get(path).expect(200)).body as { data: { version: number } }).data.version;
    const before = await version();
    expect(await receipts()).toBe('never');
    await us.import(archive, { conflict: 'replace' });
    expect([await receipts(), await version()]).toEqual(['always', before + 1]);
  });

  it('that rows of the tenant stand in the way of fails at once, and says which', async () => {
    const { tenantId } = await furnished();
    const archive = await eu.artifact((await eu.export(tenantId)).job_id);
    await us.app.app.nest.get(Tenants).ensure(tenantId);
    await us.app.rows(
      `INSERT INTO corpora (tenant_id, id, name, provider_config_json) VALUES ($1, 'own', 'Harbour', '{}')`,
      [tenantId],
    );
    expect(await us.import(archive, { conflict: 'skip' })).toMatchObject({
      status: 'failed',
      error_code: 'residency.import_conflict',
      counts: { table: 'corpora', constraint: 'uq_corpora_name' },
    });
  });

  it('is in the trail with the rows and the manifest that the trail of the origin names', async () => {
    const { tenantId } = await furnished();
    const exported = await eu.export(tenantId);
    const imported = await us.import(await eu.artifact(exported.job_id));
    const trail = async (region: Region, operators: string): Promise<Map<unknown, unknown>> =>
      new Map(
        (await region.app.audit(operators))
          .filter((event) => event['resource_id'] === tenantId)
          .map((event) => [event['event_type'], event['metadata_json']]),
      );
    const [there, here] = [await trail(us, 'operators-us'), await trail(eu, 'operators-eu')];
    const manifest_sha256 = exported.manifest?.['manifest_sha256'];
    const proof = { export_id: exported.job_id, manifest_sha256, counts: { documents: 3, receipts: 1 } };
    expect(manifest_sha256).toMatch(/^[0-9a-f]{64}$/);
    expect(here.get('residency.export.succeeded')).toMatchObject(proof);
    expect(there.get('residency.import')).toMatchObject({ ...proof, job_id: imported.job_id });
    expect(there.get('residency.import.succeeded')).toMatchObject({ ...proof, job_id: imported.job_id });
  });
});

describe('an export', () => {
  it('is one at a time, for tenants that are here and regions that are known', async () => {
    const { tenantId } = await furnished();
    const ask = (body: object) => eu.operator.post('/v1/admin/memory/export', body);
    expect(codeOf(await ask({ tenant_id: 'nobody', target_region: 'us' }).expect(404))).toBe('NOT_FOUND');
    expect(codeOf(await ask({ tenant_id: tenantId, target_region: 'mars' }).expect(409))).toBe(
      'residency.not_configured',
    );
    const both = await Promise.all([1, 2].map(() => ask({ tenant_id: tenantId, target_region: 'us' })));
    const answers = both.map((response) => codeOf(response) ?? String(response.status)).sort();
    expect([
      ['202', 'residency.export_in_progress'],
      ['202', '202'],
    ]).toContainEqual(answers);
  });

  // A worker that stops in the middle of a large tenant must not start it anew, and never seal two things as one.
  it('that is interrupted half way goes on there and is whole', async () => {
    const { tenantId } = await furnished();
    const [work, moves] = [ExportWork, Moves].map((part) => eu.app.app.nest.get<unknown>(part, { strict: false })) as [
      ExportWork,
      Moves,
    ];
    const id = eu.app.infrastructure.ids.uuid();
    await eu.app.rows(
      `INSERT INTO residency_jobs (tenant_id, id, kind, moved_tenant_id, state, region, parameters, actor)
       VALUES ('operators-eu', $1, 'export', $2, 'running', 'us', $3, 'somebody')`,
      [id, tenantId, JSON.stringify({ include: GROUPS, since: null })],
    );
    const attempt = (files: number): Promise<void> =>
      eu.app.as('operators-eu', async () => {
        let left = files;
        const throwIfAborted = (): void => {
          if ((left -= 1) < 0) throw new Error('The worker stops.');
        };
        const move = await moves.get(id, 'export');
        await moves.finish(move, await work.run(move, { throwIfAborted } as AbortSignal));
      });
    const files = (): Promise<unknown[]> =>
      eu.app.rows('SELECT number, sha256 FROM residency_parts WHERE job_id = $1 ORDER BY number', [id]);
    await expect(attempt(12)).rejects.toThrow('The worker stops.');
    const before = await files();
    expect(before).toHaveLength(12);
    await attempt(1000);
    expect((await files()).slice(0, 12)).toEqual(before);
    expect(await us.import(await eu.artifact(id))).toMatchObject({ status: 'succeeded', counts: { differing: [] } });
    expect(await rowsOf(us, tenantId)).toEqual(await rowsOf(eu, tenantId));
  });

  it('with a watermark leaves out what is the same, and brings what came, changed and went', async () => {
    const { admin, tenantId, corpusId } = await furnished();
    const first = await eu.export(tenantId);
    await us.import(await eu.artifact(first.job_id));
    await admin
      .post('/v1/documents/text', { corpus_id: corpusId, document_id: 'new', text: 'A new pier.' })
      .expect(202);
    await admin.delete('/v1/documents/page').expect(204);
    await idle(eu.app, tenantId);
    const delta = await eu.export(tenantId, { since_watermark: first.watermark });
    const bytes = await eu.artifact(delta.job_id);
    expect(bytes.length).toBeLessThan((await eu.artifact(first.job_id)).length);
    expect(await us.import(bytes, { conflict: 'replace' })).toMatchObject({ counts: { differing: [] } });
    expect(await rowsOf(us, tenantId)).toEqual(await rowsOf(eu, tenantId));
  });
});

describe('a migration', () => {
  it('freezes, brings the last changes, and ends with 403 here and the tenant there', async () => {
    const { admin, tenantId, corpusId } = await furnished();
    const { id, export_id, delta_export_id } = await planned(tenantId);
    const ask = { session_id: 's', corpus_id: corpusId, message: 'When does the ferry leave?', stream: false };
    const stateAfter = async (verification?: MoveBody['verification']): Promise<unknown> => {
      const response = await migrate(id, verification);
      return response.status === 200 ? (response.body as { data: { state: string } }).data.state : codeOf(response);
    };
    // A receipt that has no place in the chain yet.
    await admin.post('/v1/run', ask).expect(200);
    expect(await stateAfter()).toBe('exporting');
    await eu.ended(`/v1/admin/memory/exports/${export_id}`);
    expect(await stateAfter()).toBe('importing');
    expect(await stateAfter()).toBe('residency.verification_required');
    const base = await us.import(await eu.artifact(export_id));
    // What each region does by itself.
    await us.chained(tenantId);
    await us.app.rows(`UPDATE receipts SET status = 'tombstoned', tombstoned_at = now() WHERE tenant_id = $1`, [
      tenantId,
    ]);
    await admin
      .post('/v1/documents/text', { corpus_id: corpusId, document_id: 'late', text: 'A late one.' })
      .expect(202);
    expect(await stateAfter(base.verification)).toBe('verifying');
    expect(await stateAfter()).toBe('frozen');
    await idle(eu.app, tenantId);
    await eu.chained(tenantId);

    const frozen = await admin.post('/v1/corpora', { name: 'Too late' });
    expect([frozen.status, codeOf(frozen), frozen.body.error.details]).toEqual([
      503,
      'WRITE_FROZEN',
      { scope: 'tenant' },
    ]);
    expect((await admin.post('/v1/run', { session_id: 's', corpus_id: corpusId, message: 'x' })).status).toBe(503);
    await admin.get('/v1/documents').expect(200);

    expect(await stateAfter()).toBe('delta_sync');
    await eu.ended(`/v1/admin/memory/exports/${delta_export_id}`);
    expect(await stateAfter(base.verification)).toBe('residency.verification_required');
    const delta = await us.import(await eu.artifact(delta_export_id), { conflict: 'replace' });
    expect(await stateAfter({ ...delta.verification, region: 'mars' })).toBe('residency.verification_required');
    expect(await stateAfter(delta.verification)).toBe('cutover');
    expect(await stateAfter(delta.verification)).toBe('residency.verification_required');
    await us.pin(tenantId, 'us');
    const pinned = dataOf(await us.operator.get(delta.status_url).expect(200));
    expect(pinned.verification).toMatchObject({ pin: 'us', verified_at: delta.finished_at });
    expect(await stateAfter(pinned.verification)).toBe('cooldown');
    expect(codeOf(await admin.get('/v1/documents').expect(403))).toBe('residency.mismatch');
    expect(await stateAfter()).toBe('residency.illegal_transition');
    expect(await rowsOf(us, tenantId)).toEqual(await rowsOf(eu, tenantId));
    const events = (await eu.app.audit('operators-eu')).map((event) => event['event_type']);
    expect(events).toEqual(expect.arrayContaining(['residency.migration.frozen', 'residency.migration.cooldown']));
  });

  it('that is aborted lets the tenant write again; 19 case 5: a pin elsewhere is told before a freeze', async () => {
    const { admin, tenantId } = await furnished();
    const { id } = await planned(tenantId);
    await inState(id, 'verifying');
    expect((await migrate(id)).status).toBe(200);
    expect((await admin.post('/v1/corpora', { name: 'A' })).status).toBe(503);
    await eu.pin(tenantId, 'us', true);
    expect(codeOf(await admin.post('/v1/corpora', { name: 'A' }))).toBe('residency.mismatch');
    await eu.pin(tenantId, 'eu');
    await abort(id).expect(200);
    await admin.post('/v1/corpora', { name: 'A' }).expect(201);
  });

  it('that is advanced and aborted at once leaves the tenant frozen only if it is', async () => {
    const { admin, tenantId } = await furnished();
    for (let round = 0; round < 3; round += 1) {
      const { id } = await planned(tenantId);
      await inState(id, 'verifying');
      const [advanced] = await Promise.all([migrate(id), abort(id)]);
      const [{ state }] = (await eu.app.rows('SELECT state FROM residency_jobs WHERE id = $1', [id])) as [
        { state: string },
      ];
      expect([state, await freezesOf(tenantId)]).toEqual(
        advanced.status === 200 && state !== 'aborted' ? ['frozen', [{ migration_id: id }]] : ['aborted', []],
      );
      await abort(id).expect(200);
      await admin.post('/v1/corpora', { name: `after ${round}` }).expect(201);
    }
  });

  it('is aborted again without harm, and thaws what an earlier one left; never what a later one froze', async () => {
    const { admin, tenantId } = await furnished();
    const first = await planned(tenantId);
    await abort(first.id).expect(200);
    await eu.app.rows(`INSERT INTO tenant_freezes (tenant_id, migration_id, frozen_at) VALUES ($1, $2, now())`, [
      tenantId,
      first.id,
    ]);
    const second = await planned(tenantId);
    await inState(second.id, 'verifying');
    expect((await migrate(second.id)).status).toBe(200);
    expect(await freezesOf(tenantId)).toEqual([{ migration_id: second.id }]);
    await abort(first.id).expect(200);
    expect(await freezesOf(tenantId)).toEqual([{ migration_id: second.id }]);
    await abort(second.id).expect(200);
    await admin.post('/v1/corpora', { name: 'B' }).expect(201);
  });

  it('is taken back from the cooldown once the tenant is pinned here again, and can be planned anew', async () => {
    const { admin, tenantId } = await furnished();
    const { id } = await planned(tenantId);
    await inState(id, 'cooldown');
    await eu.pin(tenantId, 'us', true);
    expect(codeOf(await abort(id).expect(409))).toBe('residency.illegal_transition');
    await eu.pin(tenantId, 'eu');
    expect((await abort(id).expect(200)).body).toMatchObject({ data: { state: 'rolled_back' } });
    await admin.post('/v1/corpora', { name: 'Here again' }).expect(201);
    await planned(tenantId);
  });

  it('is taken back from the cutover while the origin is not pinned elsewhere', async () => {
    const { admin, tenantId } = await furnished();
    const { id } = await planned(tenantId);
    await inState(id, 'verifying');
    expect((await migrate(id)).status).toBe(200);
    await inState(id, 'cutover');
    expect((await admin.post('/v1/corpora', { name: 'C' })).status).toBe(503);
    expect((await abort(id).expect(200)).body).toMatchObject({ data: { state: 'rolled_back' } });
    await admin.post('/v1/corpora', { name: 'C' }).expect(201);
  });

  it('replaces an export that failed, and a delta after which the regions still differ', async () => {
    const { tenantId } = await furnished();
    const { id, ...exports } = await planned(tenantId);
    const refused = async (verification?: MoveBody['verification']): Promise<Refusal['error']> =>
      ((await migrate(id, verification)).body as Refusal).error;
    const bring = async (exportId: unknown): Promise<MoveBody> => {
      await eu.ended(`/v1/admin/memory/exports/${String(exportId)}`);
      return us.import(await eu.artifact(String(exportId)), { conflict: 'replace' });
    };
    expect((await migrate(id)).status).toBe(200);
    await eu.ended(`/v1/admin/memory/exports/${exports.export_id}`);
    await eu.app.rows(`UPDATE residency_jobs SET state = 'failed' WHERE id = $1`, [exports.export_id]);
    const failed = await refused();
    expect([failed.code, failed.details['export_id'] === exports.export_id]).toEqual([
      'residency.export_not_ready',
      false,
    ]);
    const base = await bring(failed.details['export_id']);
    for (const verification of [undefined, base.verification, undefined, undefined]) {
      expect((await migrate(id, verification)).status).toBe(200);
    }
    // Not in the delta, which brings what has changed here.
    await us.app.rows(`UPDATE documents SET filename = 'other' WHERE tenant_id = $1 AND id = 'ships'`, [tenantId]);
    const differing = await refused((await bring(exports.delta_export_id)).verification);
    expect([differing.code, differing.details['tables']]).toEqual(['residency.checksum_mismatch', ['documents']]);
    const whole = await bring(differing.details['export_id']);
    // The freeze does not keep operators from the configuration.
    await eu.operator.patch(`/v1/admin/tenants/${tenantId}/config`, { receipts: 'never' }).expect(200);
    const late = await refused(whole.verification);
    expect([late.code, late.details['tables']]).toEqual(['residency.checksum_mismatch', ['tenant_configs']]);
    const last = await bring(late.details['export_id']);
    expect((await migrate(id, last.verification)).body).toMatchObject({ data: { state: 'cutover' } });
  });
});

describe('19 case 29: a purge', () => {
  const preview = (tenantId: string) => eu.operator.post('/v1/admin/residency/purge/preview', { tenant_id: tenantId });
  const purge = (by: Actor, body: object) => by.post('/v1/admin/residency/purge', { reason: 'moved', ...body });

  it('needs a pin elsewhere, a confirmation, a second operator and the count that was seen; then the origin still refuses', async () => {
    const { admin, tenantId, corpusId } = await furnished();
    expect(codeOf(await preview(tenantId).expect(409))).toBe('residency.purge_not_migrated');
    await eu.pin(tenantId, 'eu');
    expect(codeOf(await preview(tenantId).expect(409))).toBe('residency.purge_not_migrated');
    await admin.post('/v1/documents/text', { corpus_id: corpusId, document_id: 'x', text: 'One more.' }).expect(202);
    await idle(eu.app, tenantId);
    await eu.pin(tenantId, 'us', true);
    const seen = (await preview(tenantId).expect(200)).body as {
      data: { matched: number; purge_token: string; sample: string[]; totals: Record<string, number> };
    };
    const { matched, purge_token, sample, totals } = seen.data;
    expect(sample).toEqual(['opening', 'page', 'ships', 'x']);
    expect(matched).toBe(Object.values(totals).reduce((sum, rows) => sum + rows, 0));
    const request = { purge_token, confirm: true, expected_count: matched };
    expect(codeOf(await purge(eu.second, { ...request, confirm: false }).expect(400))).toBe('BAD_REQUEST');
    expect(codeOf(await purge(eu.operator, request).expect(403))).toBe('residency.purge_second_operator');
    const drift = await purge(eu.second, { ...request, expected_count: matched - 1 }).expect(409);
    expect(codeOf(drift)).toBe('residency.purge_count_changed');
    expect(codeOf(await purge(eu.second, { ...request, purge_token: 'x' }).expect(400))).toBe(
      'residency.purge_token_invalid',
    );

    const holds = eu.app.app.nest.get(RetentionHolds);
    holds.keepAudit = () => Promise.resolve(true);
    expect(codeOf(await purge(eu.second, request).expect(409))).toBe('LEGAL_HOLD_ACTIVE');
    expect(codeOf(await preview(tenantId).expect(409))).toBe('LEGAL_HOLD_ACTIVE');
    holds.keepAudit = () => Promise.resolve(false);

    const stored = join(eu.app.infrastructure.settings.get(dbSettings).dataDir, 'documents', 'tenants', tenantId);
    expect(filesBelow(stored).length).toBeGreaterThan(4);
    const started = dataOf(await purge(eu.second, request).expect(202));
    const ended = await eu.ended(started.status_url);
    expect(ended).toMatchObject({ status: 'succeeded', region: 'us', counts: { documents: 4 } });
    expect(filesBelow(stored)).toEqual([]);
    const left = Object.fromEntries(
      Object.entries(await rowsOf(eu, tenantId)).map(([table, rows]) => [table, rows.length]),
    );
    const nothing = Object.fromEntries(MOVED.map((table) => [table, 0]));
    const evidence = { receipts: 1, receipt_outcomes: 1, receipt_chain: 1, receipt_chunks: left['receipt_chunks'] };
    expect(left).toEqual({ ...nothing, ...evidence, users: 1 });
    expect(codeOf(await admin.get('/v1/documents').expect(403))).toBe('residency.mismatch');
    expect(codeOf(await purge(eu.second, request).expect(400))).toBe('residency.purge_token_invalid');
  });

  interface Seen {
    readonly matched: number;
    readonly purge_token: string;
    readonly totals: Record<string, number>;
  }
  const seen = async (tenantId: string): Promise<Seen> =>
    ((await preview(tenantId).expect(200)).body as { data: Seen }).data;

  it('is refused when there is not what the preview showed, also when the number given is the one of now', async () => {
    const { tenantId } = await furnished();
    await eu.pin(tenantId, 'us', true);
    const { matched, purge_token } = await seen(tenantId);
    await eu.app.grant(tenantId, 'ships', 'reader');
    const drift = await purge(eu.second, { purge_token, confirm: true, expected_count: matched + 1 }).expect(409);
    expect(codeOf(drift)).toBe('residency.purge_count_changed');
  });

  it('of a migrated tenant deletes what maintenance has left, thousands and each file once, and ends the migration', async () => {
    const { tenantId } = await furnished();
    const { id } = await planned(tenantId);
    await eu.app.rows(
      `INSERT INTO documents SELECT (jsonb_populate_record(d, jsonb_build_object('id', 'bulk-' || n,
         'storage_key', 'tenants/' || d.tenant_id || '/documents/bulk-' || n || '/1'))).*
         FROM documents d, generate_series(1, 2100) n WHERE d.tenant_id = $1 AND d.id = 'ships'`,
      [tenantId],
    );
    await eu.pin(tenantId, 'us', true);
    const { totals } = await seen(tenantId);
    const moved = async (counts: object): Promise<void> => {
      await eu.app.rows(`UPDATE residency_jobs SET state = 'cooldown', counts = $2 WHERE id = $1`, [
        id,
        JSON.stringify({ ...totals, ...counts }),
      ]);
    };
    await moved({ documents: 2102 });
    expect(codeOf(await preview(tenantId).expect(409))).toBe('residency.checksum_mismatch');
    await moved({ document_permissions: (totals['document_permissions'] ?? 0) + 1 });
    const { matched, purge_token } = await seen(tenantId);
    const { blobs } = eu.app.infrastructure;
    const deleted: string[] = [];
    const spied = jest.spyOn(blobs, 'delete').mockImplementation(async (key) => void deleted.push(key));
    const started = dataOf(await purge(eu.second, { purge_token, confirm: true, expected_count: matched }).expect(202));
    expect(await eu.ended(started.status_url)).toMatchObject({
      status: 'succeeded',
      counts: { documents: 2103, document_permissions: totals['document_permissions'] },
    });
    spied.mockRestore();
    const files = deleted.filter((key) => key.includes('/documents/'));
    expect(files.length).toBeGreaterThan(2100);
    expect(new Set(files).size).toBe(files.length);
    expect(await eu.app.rows('SELECT state FROM residency_jobs WHERE id = $1', [id])).toEqual([{ state: 'purged' }]);
  });

  it('is not kept from a tenant by the expired preview of other operators', async () => {
    const { tenantId } = await furnished();
    await eu.app.app.nest.get(Tenants).ensure('other-operators');
    await eu.pin(tenantId, 'us', true);
    await eu.app.rows(
      `INSERT INTO residency_jobs (tenant_id, id, kind, moved_tenant_id, state, parameters, actor)
       VALUES ('other-operators', 'theirs', 'purge', $1, 'previewed', '{"expires_at":"2026-01-01T00:00:00.000Z"}', 'x')`,
      [tenantId],
    );
    expect(codeOf(await preview(tenantId).expect(409))).toBe('residency.move_in_progress');
    await eu.app.app.nest.get(KeptArchives, { strict: false }).sweep();
    await preview(tenantId).expect(200);
  });
});
