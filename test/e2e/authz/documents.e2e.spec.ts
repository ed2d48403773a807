import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Response } from 'supertest';
import { TestApp, type Actor } from '../../harness/app.js';
import { eventually } from '../../harness/eventually.js';
import { OpenStream } from '../../harness/sse.js';
import { until } from '../../harness/until.js';
import { HeldBlobs } from '../idempotency/held-blobs.js';
import { Library } from '../ingestion/library.js';
import { Gate, says, ScriptedChat } from '../run/scripted-chat.js';
import { createPolicy, Directory, disablePolicies, eventsOf, type Json } from './authz.js';

const INLINE = { INGEST_EXECUTION_MODE: 'inline' };
const SECRET = { labels: { sensitivity: 'high' } };
const IS_SECRET = { eq: [{ var: 'resource.labels.sensitivity' }, 'high'] };
const DENIED = [403, 'AUTHZ_DENIED', 'document permission required'];
const DENIED_BY_POLICY = [403, 'AUTHZ_DENIED', 'access denied by policy'];

let app: TestApp;
let chat: ScriptedChat;
let blobs: HeldBlobs;
let library: Library;
let tenantId: string;
let editor: Actor;
let reader: Actor;
let admin: Actor;

beforeAll(async () => {
  chat = new ScriptedChat();
  blobs = new HeldBlobs();
  app = await TestApp.start(INLINE, { chat, blobs });
});
afterAll(() => app.close());
beforeEach(async () => {
  await furnish(app);
});

/** A tenant with an editor who owns the document `d`, and a reader and an admin to whom nothing was granted. */
async function furnish(of: TestApp): Promise<void> {
  library = await Library.open(of);
  editor = library.editor;
  ({ tenantId } = editor);
  reader = await of.actor('reader', tenantId);
  admin = await of.actor('admin', tenantId);
  await library.text({ document_id: 'd', filename: 'krill.txt' }).expect(202);
}

function answer({ status, body }: Response): unknown[] {
  const { error } = body as { error?: { code: string; message: string } };
  return error === undefined ? [status] : [status, error.code, error.message];
}

const addPolicy = (by: Actor, body: Json): Promise<string> => createPolicy(by, { action: '*', ...body });

const read = async (by: Actor, id = 'd'): Promise<number> => (await by.get(`/v1/documents/${id}`)).status;

async function listed(by: Actor, query = ''): Promise<string[]> {
  const { body } = await by.get(`/v1/documents${query}`).expect(200);
  return (body.data as { id: string }[]).map(({ id }) => id);
}

/** Every page of the list. */
async function pages(by: Actor, limit: number): Promise<string[][]> {
  const found: string[][] = [];
  for (let cursor = ''; ;) {
    const { body } = await by.get(`/v1/documents?limit=${limit}${cursor}`).expect(200);
    found.push((body.data as { id: string }[]).map(({ id }) => id));
    if (!body.meta.page.has_more) return found;
    cursor = `&cursor=${body.meta.page.next_cursor}`;
  }
}

const denials = () => eventsOf(app, editor, 'authz.access.denied');

/** The document, its labels, jobs and stored texts. */
async function stateOf(id: string): Promise<unknown> {
  const state: unknown[] = [];
  for (const sql of [
    `SELECT * FROM documents WHERE tenant_id = $1 AND id = $2`,
    `SELECT key, value FROM document_labels WHERE tenant_id = $1 AND document_id = $2 ORDER BY key`,
    `SELECT id, status FROM ingest_jobs WHERE tenant_id = $1 AND document_id = $2 ORDER BY id`,
  ]) {
    state.push(await app.rows(sql, [tenantId, id]));
  }
  return state;
}

const labelsOf = async (id: string): Promise<unknown> => (await library.get(id))['labels'];

describe('grants', () => {
  it('06 case 1: 403 for a document that nobody granted, with the reason in the audit trail', async () => {
    for (const path of ['/v1/documents/d', '/v1/documents/d/content']) {
      const response = await reader.get(path);
      expect(answer(response)).toEqual(DENIED);
      expect(response.text).not.toMatch(/krill|penguin/i);
    }
    const denial = {
      event_type: 'authz.access.denied',
      outcome: 'failure',
      actor_id: reader.keyId,
      resource_type: 'document',
      resource_id: 'd',
      metadata_json: { action: 'read', reason: 'document_acl_denied', matched_policy_id: null },
    };
    expect(await denials()).toEqual([expect.objectContaining(denial), expect.objectContaining(denial)]);
  });

  it('06 case 2: 200 once it is granted, and to nobody else', async () => {
    await app.grant(tenantId, 'd', reader);
    expect(await read(reader)).toBe(200);
    await reader.get('/v1/documents/d/content').expect(200);
    expect(await listed(reader)).toEqual(['d']);
    expect([await read(admin), await read(await app.actor('reader', tenantId))]).toEqual([403, 403]);
  });

  it('03 case 19: a reader may not send, and a list leaves out what a reader may not read', async () => {
    const body = { corpus_id: library.corpusId, text: 'x' };
    expect(answer(await reader.post('/v1/documents/text', body)).slice(0, 2)).toEqual([403, 'AUTH_FORBIDDEN']);
    expect(await read(reader)).toBe(403);
    expect(await listed(reader)).toEqual([]);
    expect(await listed(reader, `?corpus_id=${library.corpusId}`)).toEqual([]);
  });

  it('06 case 4: an expired grant counts for nothing, one that will expire does', async () => {
    await app.grant(tenantId, 'd', reader, 'read', new Date(Date.now() - 1000));
    expect([await read(reader), await listed(reader)]).toEqual([403, []]);
    await app.grant(tenantId, 'd', reader, 'write', new Date(Date.now() + 3_600_000));
    expect([await read(reader), await listed(reader)]).toEqual([200, ['d']]);
  });

  it('06 case 5: write does not give reindex, and reindex does not give write', async () => {
    const [writer, indexer] = [await app.actor('editor', tenantId), await app.actor('editor', tenantId)];
    await app.grant(tenantId, 'd', writer, 'write');
    await app.grant(tenantId, 'd', indexer, 'reindex');
    const overwrite = { corpus_id: library.corpusId, document_id: 'd', text: 'Seals eat fish.', overwrite: true };
    expect(answer(await writer.post('/v1/documents/d/reindex'))).toEqual(DENIED);
    expect(answer(await indexer.post('/v1/documents/text', overwrite))).toEqual(DENIED);
    expect(answer(await indexer.delete('/v1/documents/d'))).toEqual(DENIED);
    expect(answer(await writer.delete('/v1/documents/d'))).toEqual(DENIED);
    await indexer.post('/v1/documents/d/reindex').expect(202);
    await writer.post('/v1/documents/text', overwrite).expect(202);
    await app.grant(tenantId, 'd', writer, 'delete');
    await writer.delete('/v1/documents/d').expect(204);
  });

  it('06 case 6: a grant to a role is not one to the roles above it', async () => {
    await app.grant(tenantId, 'd', 'reader');
    expect([await read(reader), await read(admin), await read(await app.actor('editor', tenantId))]).toEqual([
      200, 403, 403,
    ]);
  });

  it('may name a key, and then mean no other', async () => {
    await app.grant(tenantId, 'd', { type: 'api_key', id: reader.keyId });
    expect([await read(reader), await read(admin)]).toEqual([200, 403]);
  });

  it('of another tenant mean nothing here', async () => {
    const other = await Library.open(app);
    await other.text({ document_id: 'd' }).expect(202);
    await app.grant(other.editor.tenantId, 'd', reader);
    await app.grant(other.editor.tenantId, 'd', 'reader');
    expect([await read(reader), await listed(reader)]).toEqual([403, []]);
  });

  it('06 case 22: pages are full of what may be read, and the last one says so', async () => {
    for (let n = 10; n < 40; n += 1) await library.text({ document_id: `n-${n}`, text: `Text ${n}` }).expect(202);
    for (const id of ['n-12', 'n-25', 'n-39']) await app.grant(tenantId, id, reader);
    expect(await pages(reader, 2)).toEqual([['n-12', 'n-25'], ['n-39']]);
    expect(await pages(reader, 3)).toEqual([['n-12', 'n-25', 'n-39']]);
    expect((await pages(editor, 10)).map(({ length }) => length)).toEqual([10, 10, 10, 1]);
    expect(await denials()).toEqual([]);
  });

  // A document that is open to a whole company must not be slower or less exact for it.
  it('may be ten thousand for one document', async () => {
    await app.rows(
      `INSERT INTO document_permissions
         (tenant_id, id, document_id, principal_type, principal_id, permission, granted_by)
       SELECT $1, 'grant-' || n, 'd', 'user', 'user-' || n, 'read', 'test' FROM generate_series(1, 10000) AS n`,
      [tenantId],
    );
    expect([await read(reader), await listed(reader)]).toEqual([403, []]);
    await app.grant(tenantId, 'd', reader);
    expect([await read(reader), await listed(reader)]).toEqual([200, ['d']]);
  });
});

describe('groups', () => {
  const of = (id: string, name: string, ...members: Actor[]) => ({
    id,
    name,
    members: members.map(({ userId }) => userId),
  });
  let directory: Directory;
  beforeAll(() => {
    directory = new Directory(app);
  });
  beforeEach(() => {
    directory.groups.length = 0;
  });

  it('give what was granted to them to their members only', async () => {
    directory.groups.push(of('g-1', 'Research', reader), of('g-2', 'Sales', admin));
    await app.grant(tenantId, 'd', { type: 'group', id: 'g-1' });
    expect([await read(reader), await read(admin), await listed(reader)]).toEqual([200, 403, ['d']]);
    directory.groups[0] = of('g-1', 'Research');
    expect([await read(reader), await listed(reader)]).toEqual([403, []]);
  });

  // Matched by name, a renamed group would lose its documents, and another one of that name would get them.
  it('are who they are whatever they are called', async () => {
    directory.groups.push(of('g-1', 'Research', reader));
    await app.grant(tenantId, 'd', { type: 'group', id: 'g-1' });
    directory.groups.splice(0, 1, of('g-1', 'Renamed', reader), of('g-2', 'Research', admin), of('g-3', 'g-1', editor));
    await app.rows(`DELETE FROM document_permissions WHERE tenant_id = $1 AND principal_type = 'user'`, [tenantId]);
    expect([await read(reader), await read(admin), await read(editor)]).toEqual([200, 403, 403]);
  });
});

describe('the order of the gates', () => {
  it('404, then 403, then 409: who may not see a document learns nothing of its state', async () => {
    const other = await app.actor('editor', tenantId);
    const elsewhere = await Library.open(app, other);
    const send = (body: object) =>
      other.post('/v1/documents/text', { document_id: 'd', corpus_id: library.corpusId, text: 'x', ...body });
    expect(answer(await send({ corpus_id: 'missing' })).slice(0, 2)).toEqual([404, 'NOT_FOUND']);
    expect(answer(await send({ corpus_id: elsewhere.corpusId }))).toEqual(DENIED);
    expect(answer(await send({ text: 'Penguins eat krill.' }))).toEqual(DENIED);
    expect(answer(await send({ text: 'Other.' }))).toEqual(DENIED);
    await app.rows(`UPDATE documents SET status = 'processing' WHERE tenant_id = $1`, [tenantId]);
    for (const id of ['d', 'missing']) {
      const expected = id === 'd' ? DENIED : [404, 'NOT_FOUND', 'No such document.'];
      expect(answer(await other.delete(`/v1/documents/${id}`))).toEqual(expected);
      expect(answer(await other.post(`/v1/documents/${id}/reindex`))).toEqual(expected);
      expect(answer(await other.put(`/v1/documents/${id}/labels`, { labels: {} }))).toEqual(expected);
      expect(answer(await other.get(`/v1/documents/${id}`))).toEqual(expected);
    }
    expect(answer(await editor.delete('/v1/documents/d')).slice(0, 2)).toEqual([409, 'INGEST_IN_PROGRESS']);
  });

  // Between the first look and the transaction lies a call to the store, which can take seconds.
  it('is gone through again for the locked row: a grant that was revoked meanwhile counts for nothing', async () => {
    const writer = await app.actor('editor', tenantId);
    await app.grant(tenantId, 'd', writer, 'write');
    const { content_sha256: kept } = await library.get('d');
    const before = await stateOf('d');
    const gate = blobs.holdNext();
    const body = { corpus_id: library.corpusId, document_id: 'd', text: 'Seals eat fish.', overwrite: true };
    const pending = writer.post('/v1/documents/text', body).then((response) => response);
    await until(() => blobs.waiting === 1);
    await app.rows(`DELETE FROM document_permissions WHERE tenant_id = $1 AND principal_id = $2`, [
      tenantId,
      writer.userId,
    ]);
    gate.open();
    expect(answer(await pending)).toEqual(DENIED);
    expect(await stateOf('d')).toEqual(before);
    expect(await library.stored('d', kept)).toBe('Penguins eat krill.');
    await eventually(async () => {
      expect(await app.rows(`SELECT FROM document_source_removals WHERE tenant_id = $1`, [tenantId])).toEqual([]);
      expect(blobs.texts(tenantId)).toEqual(['Penguins eat krill.']);
    });
  });
});

describe('policies', () => {
  it('06 case 3: a deny beats an allow of a higher priority, for the owner too (03 case 21)', async () => {
    await app.grant(tenantId, 'd', reader);
    await addPolicy(admin, { effect: 'allow', priority: 200 });
    const policy = await addPolicy(admin, { effect: 'deny', action: 'read', priority: 1, condition_json: IS_SECRET });
    expect([await read(reader), await read(editor)]).toEqual([200, 200]);
    await editor.put('/v1/documents/d/labels', SECRET).expect(200);
    for (const by of [reader, editor]) expect(answer(await by.get('/v1/documents/d'))).toEqual(DENIED_BY_POLICY);
    expect([await listed(reader), await listed(editor)]).toEqual([[], []]);
    expect((await denials()).at(-1)).toMatchObject({
      resource_id: 'd',
      metadata_json: { action: 'read', reason: 'policy_deny', matched_policy_id: policy },
    });
    await editor.put('/v1/documents/d/labels', { labels: {} }).expect(200);
    expect([await read(reader), await read(editor)]).toEqual([200, 200]);
  });

  it('03 case 20: without any, who creates gets nothing; with the ones of the beginning, his own document', async () => {
    expect(await read(editor)).toBe(200);
    await disablePolicies(admin);
    const response = await library.text({ document_id: 'new' });
    expect(answer(response)).toEqual(DENIED_BY_POLICY);
    expect(await denials()).toMatchObject([
      {
        resource_type: 'document',
        resource_id: library.corpusId,
        metadata_json: { action: 'write', reason: 'default_deny', matched_policy_id: null },
      },
    ]);
    expect(await read(editor)).toBe(403);
    expect(await app.rows(`SELECT FROM documents WHERE tenant_id = $1`, [tenantId])).toHaveLength(1);
    expect(blobs.texts(tenantId)).toHaveLength(1);
  });

  it('see a document that is being made as it will be, uploads included', async () => {
    await addPolicy(admin, { effect: 'deny', action: 'write', condition_json: IS_SECRET });
    expect(answer(await library.text({ document_id: 's', metadata_json: SECRET }))).toEqual(DENIED_BY_POLICY);
    const upload = await library.upload({ fields: { document_id: 's', metadata_json: JSON.stringify(SECRET) } });
    expect(answer(upload)).toEqual(DENIED_BY_POLICY);
    await library.text({ document_id: 's', metadata_json: { labels: { sensitivity: 'low' } } }).expect(202);
  });

  // What a policy says of all labels at once is nothing that the database can be asked.
  it('decide row by row over a list where the database cannot, and pages are as full', async () => {
    const state = { state: 'hidden' };
    await addPolicy(admin, {
      effect: 'deny',
      action: 'read',
      condition_json: { eq: [{ var: 'resource.labels' }, state] },
    });
    const kept: string[] = [];
    for (let n = 10; n < 35; n += 1) {
      const [id, hidden] = [`n-${n}`, n % 5 !== 0];
      await library.text({ document_id: id, text: id, metadata_json: { labels: hidden ? state : {} } }).expect(202);
      await app.grant(tenantId, id, reader);
      if (!hidden) kept.push(id);
    }
    expect(await pages(reader, 2)).toEqual([kept.slice(0, 2), kept.slice(2, 4), kept.slice(4)]);
    expect(await pages(reader, 5)).toEqual([kept]);
    expect(await denials()).toEqual([]);
  });

  // Of a tenant with many documents a reader may read the last few: the reading ahead must go on until there.
  it('look as far ahead as it takes to fill a page', async () => {
    await addPolicy(admin, {
      effect: 'deny',
      action: 'read',
      condition_json: { eq: [{ var: 'resource.labels' }, { state: 'hidden' }] },
    });
    await manyDocuments(450, 'hidden');
    for (const id of ['z-1', 'z-2', 'z-3']) {
      await library.text({ document_id: id, text: id }).expect(202);
      await app.grant(tenantId, id, reader);
    }
    expect(await pages(reader, 2)).toEqual([['z-1', 'z-2'], ['z-3']]);
    expect(await pages(reader, 200)).toEqual([['z-1', 'z-2', 'z-3']]);
  });

  /** Documents that the reader may read as far as grants go, with a label. */
  async function manyDocuments(count: number, state: string): Promise<void> {
    await app.rows(
      `WITH added AS (
         INSERT INTO documents (tenant_id, id, corpus_id, uri, filename, content_type, ingest_source, status,
                                content_sha256, byte_count, chunker, chunk_size_chars, chunk_overlap_chars, created_by)
         SELECT $1, 'm-' || n, $2, 'document://m-' || n, 'm.txt', 'text/plain', 'raw_text', 'succeeded', '', 0, 'v2', 1200, 0,
                'test' FROM generate_series(1, $3::int) AS n RETURNING id),
       labelled AS (
         INSERT INTO document_labels (tenant_id, document_id, key, value) SELECT $1, id, 'state', $4 FROM added)
       INSERT INTO document_permissions
         (tenant_id, id, document_id, principal_type, principal_id, permission, granted_by)
       SELECT $1, 'grant-' || id, id, 'user', $5, 'read', 'test' FROM added`,
      [tenantId, library.corpusId, count, state, reader.userId],
    );
  }
});

describe('labels', () => {
  it('are replaced by who may write, and the audit trail has their keys only', async () => {
    await library.text({ document_id: 'l', metadata_json: { labels: { team: 'ice', level: 3 } } }).expect(202);
    const response = await editor.put('/v1/documents/l/labels', { labels: { level: 4, open: true } }).expect(200);
    expect(response.body.data).toEqual(await library.get('l'));
    expect(response.body.data).toMatchObject({ id: 'l', labels: { level: '4', open: 'true' } });
    expect((await library.audited('l')).at(-1)).toMatchObject({
      event_type: 'documents.labels.replaced',
      outcome: 'success',
      metadata_json: { corpus_id: library.corpusId, label_keys: ['level', 'open'] },
    });
    await editor.put('/v1/documents/l/labels', { labels: {} }).expect(200);
    expect(await labelsOf('l')).toEqual({});
  });

  it.each([
    [{ labels: { a: null } }, 'INGEST_VALIDATION_ERROR'],
    [{ labels: { '': 'x' } }, 'INGEST_VALIDATION_ERROR'],
    [{ labels: [] }, 'REQUEST_VALIDATION_ERROR'],
    [{}, 'REQUEST_VALIDATION_ERROR'],
  ])('422 for %j', async (body, code) => {
    expect(answer(await editor.put('/v1/documents/d/labels', body)).slice(0, 2)).toEqual([422, code]);
  });

  // Otherwise a writer whom a label keeps out takes it off and is in.
  it('are not for those to take off, or to put on, whom they keep out', async () => {
    await library.text({ document_id: 's', metadata_json: SECRET }).expect(202);
    await addPolicy(admin, { effect: 'deny', action: 'write', condition_json: IS_SECRET });
    const before = [await stateOf('s'), await stateOf('d')];
    const overwrite = { overwrite: true, text: 'Seals eat fish.' };
    const attempts = [
      editor.put('/v1/documents/s/labels', { labels: {} }),
      library.text({ document_id: 's', ...overwrite, metadata_json: { labels: {} } }),
      library.text({ document_id: 's', ...overwrite }),
      library.text({ document_id: 's' }),
      editor.put('/v1/documents/d/labels', SECRET),
      library.text({ document_id: 'd', ...overwrite, metadata_json: SECRET }),
    ];
    for (const attempt of attempts) expect(answer(await attempt)).toEqual(DENIED_BY_POLICY);
    expect([await stateOf('s'), await stateOf('d')]).toEqual(before);
    await editor.put('/v1/documents/d/labels', { labels: { sensitivity: 'low' } }).expect(200);
    await library.text({ document_id: 'd', ...overwrite }).expect(202);
    expect(await labelsOf('d')).toEqual({ sensitivity: 'low' });
  });
});

describe('asking a corpus', () => {
  const ask = (by: Actor, corpus_id = library.corpusId) =>
    by.post('/v1/run', { session_id: 'authz', corpus_id, message: 'What do penguins eat?' });

  it('06 case 21: 403 in plain JSON where a policy denies it, and nothing is kept of the question', async () => {
    const policy = await addPolicy(admin, { effect: 'deny', resource_type: 'corpus', action: 'run' });
    const response = await ask(reader);
    expect(answer(response)).toEqual(DENIED_BY_POLICY);
    expect(response.get('Content-Type')).toMatch(/^application\/json/);
    for (const table of ['sessions', 'messages', 'checkpoints'])
      expect([table, await library.count(table)]).toEqual([table, 0]);
    expect(await denials()).toMatchObject([
      {
        resource_type: 'corpus',
        resource_id: library.corpusId,
        metadata_json: { action: 'run', reason: 'policy_deny', matched_policy_id: policy },
      },
    ]);
    expect((await app.audit(tenantId)).filter(({ event_type }) => event_type === 'run.invoked')).toEqual([]);
    expect(answer(await ask(reader, 'missing')).slice(0, 2)).toEqual([404, 'NOT_FOUND']);
    expect(answer(await reader.post('/run', { session_id: 's', corpus_id: library.corpusId, message: 'x' }))).toEqual([
      403,
    ]);
  });

  it('02 case 9: 403 without any policy', async () => {
    await disablePolicies(admin);
    expect(answer(await ask(reader))).toEqual(DENIED_BY_POLICY);
  });

  // The answer that is under way was allowed when it was asked for, and is bounded by RUN_TIMEOUT_S.
  it('ends an answer whose key is revoked meanwhile, and lets the key neither ask nor resume again', async () => {
    const gate = new Gate();
    chat.script = says('Krill', gate, '.');
    const body = { session_id: 'open', corpus_id: library.corpusId, message: 'What do penguins eat?' };
    const stream = await OpenStream.post(`${app.url}/v1/run`, reader.token, body);
    await stream.until(({ data }) => data.type === 'token.delta');
    await admin.patch(`/v1/admin/api-keys/${reader.keyId}`, { active: false }).expect(200);
    gate.open();
    expect((await stream.end()).at(-1)?.data.type).toBe('done');
    const runId = stream.response.headers.get('x-run-id') ?? '';
    expect((await reader.get(`/v1/runs/${runId}/events`)).status).toBe(401);
    expect((await ask(reader)).status).toBe(401);
    expect(await read(reader)).toBe(401);
  });
});

describe('an installation that', () => {
  let other: TestApp;
  const start = async (env: Record<string, string>): Promise<void> => {
    other = await TestApp.start({ ...INLINE, ...env });
    await furnish(other);
  };
  afterEach(() => other.close());

  it('06 case 7: lets admins do without grants still binds them by policies', async () => {
    await start({ AUTHZ_ADMIN_BYPASS_DOCUMENT_ACL: 'true' });
    expect([await read(admin), await listed(admin)]).toEqual([200, ['d']]);
    expect([await read(reader), await read(await other.actor('editor', tenantId))]).toEqual([403, 403]);
    await editor.put('/v1/documents/d/labels', SECRET).expect(200);
    await addPolicy(admin, { effect: 'deny', action: 'read', condition_json: IS_SECRET });
    expect(answer(await admin.get('/v1/documents/d'))).toEqual(DENIED_BY_POLICY);
    expect(await listed(admin)).toEqual([]);
  });

  it('06 case 8: asks no policies still asks for grants', async () => {
    await start({ AUTHZ_ABAC_ENABLED: 'false' });
    await addPolicy(admin, { effect: 'deny' });
    await addPolicy(admin, { effect: 'deny', resource_type: 'corpus', action: 'run' });
    expect([await read(editor), await listed(editor)]).toEqual([200, ['d']]);
    expect([await read(reader), await listed(reader)]).toEqual([403, []]);
    const question = { session_id: 's', corpus_id: library.corpusId, message: 'What do penguins eat?' };
    await reader.post('/v1/run', question).expect(200);
  });

  it('06 case 9: allows what no policy matches needs none', async () => {
    await start({ AUTHZ_DEFAULT_DENY: 'false', AUTHZ_BOOTSTRAP_BASELINE_POLICIES: 'false' });
    expect(await other.rows(`SELECT FROM authorization_policies WHERE tenant_id = $1`, [tenantId])).toEqual([]);
    expect([await read(editor), await read(reader)]).toEqual([200, 403]);
    await library.text({ document_id: 'new' }).expect(202);
  });
});
