import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Response, Test } from 'supertest';
import { TestApp, type Actor } from '../../harness/app.js';
import { formBody, Library, postForm } from '../ingestion/library.js';

let app: TestApp;
let admin: Actor;
let library: Library;

beforeAll(async () => {
  app = await TestApp.start();
  admin = await app.actor('admin');
  library = await Library.open(app, admin);
});
afterAll(() => app.close());

let keys = 0;
const newKey = (): string => `key-${(keys += 1)}`;
const keyed = (test: Test, key: string): Test => test.set('Idempotency-Key', key);
const createCorpus = (key: string, name: string, by = admin): Test => keyed(by.post('/v1/corpora', { name }), key);
const codeOf = (response: Response): unknown => [response.status, response.body.error?.code];

async function corporaNamed(name: string, { tenantId } = admin): Promise<number> {
  return (await app.rows(`SELECT FROM corpora WHERE tenant_id = $1 AND name = $2`, [tenantId, name])).length;
}

describe('a repeated request', () => {
  it('01 §9 case 1: has the same answer, to the byte and with its headers, and no second effect', async () => {
    const key = newKey();
    const first = await createCorpus(key, 'Once').expect(201);
    expect(first.get('Idempotency-Replayed')).toBeUndefined();
    const second = await createCorpus(key, 'Once').set('X-Request-Id', 'the-second').expect(201);
    expect(second.text).toBe(first.text);
    for (const header of ['Content-Type', 'ETag', 'Location', 'X-Request-Id']) {
      expect([header, second.get(header)]).toEqual([header, first.get(header)]);
    }
    expect(second.get('Idempotency-Replayed')).toBe('true');
    expect(second.get('X-Replay-Request-Id')).toBe('the-second');
    expect(await corporaNamed('Once')).toBe(1);
    const events = (await app.audit(admin.tenantId)).filter(({ event_type }) => event_type === 'corpora.created');
    expect(events.filter(({ resource_id }) => resource_id === first.body.data.id)).toHaveLength(1);
  });

  it('has the status of the first answer where an operation has several', async () => {
    const body = { document_id: 'same-text' };
    await library.text(body).expect(202);
    const key = newKey();
    const unchanged = await keyed(library.text(body), key).expect(200);
    expect((await keyed(library.text(body), key).expect(200)).text).toBe(unchanged.text);
  });

  it('is the same request when only the order of its keys or their encoding differs', async () => {
    const key = newKey();
    const raw = (body: string): Test =>
      keyed(admin.post('/v1/corpora').set('Content-Type', 'application/json').send(body), key);
    const config = '{"owner":{"a":1,"b":2},"retrieval":{"provider":"local_pgvector"}}';
    const turned = '{"retrieval":{"provider":"local_pgvector"},"owner":{"b":2,"a":1}}';
    const first = await raw(`{"name":"Zürich","provider_config_json":${config}}`).expect(201);
    const second = await raw(`{ "provider_config_json": ${turned}, "name": " Z\\u00fcrich" }`).expect(201);
    expect(second.get('Idempotency-Replayed')).toBe('true');
    expect(second.text).toBe(first.text);
  });

  it('01 §9 case 6: a deletion is 204 again, not 404', async () => {
    await library.text({ document_id: 'to-delete' }).expect(202);
    await library.finished('to-delete');
    const key = newKey();
    const remove = (): Test => keyed(admin.delete('/v1/documents/to-delete'), key);
    const first = await remove().expect(204);
    const second = await remove().expect(204);
    expect([second.text, second.get('Idempotency-Replayed')]).toEqual(['', 'true']);
    expect(second.get('X-Request-Id')).toBe(first.get('X-Request-Id'));
    await admin.delete('/v1/documents/to-delete').expect(404);
    const [record] = await app.rows(`SELECT body_encrypted FROM idempotency_records WHERE idem_key = $1`, [key]);
    expect(record).toEqual({ body_encrypted: null });
  });

  it('01 §9 case 7: a reindexing is 202 again with its job, while that job is under way', async () => {
    await library.text({ document_id: 'to-reindex' }).expect(202);
    await library.finished('to-reindex');
    const key = newKey();
    const reindex = (): Test => keyed(admin.post('/v1/documents/to-reindex/reindex', {}), key);
    const first = await reindex().expect(202);
    const second = await reindex().expect(202);
    expect(second.body.data.job_id).toBe(first.body.data.job_id);
    expect(second.get('Idempotency-Replayed')).toBe('true');
  });

  it('01 §9 case 10: is worked on anew after an error', async () => {
    const taken = await createCorpus(newKey(), 'Taken').expect(201);
    const key = newKey();
    const refused = await createCorpus(key, 'Taken');
    expect(codeOf(refused)).toEqual([409, 'CONFLICT']);
    await admin.delete(`/v1/corpora/${taken.body.data.id}`).expect(204);
    const created = await createCorpus(key, 'Taken').expect(201);
    expect(created.get('Idempotency-Replayed')).toBeUndefined();
    await createCorpus(key, 'Taken').expect(201).expect('Idempotency-Replayed', 'true');
  });

  it('may differ after an error: the key is free again', async () => {
    const key = newKey();
    expect(codeOf(await keyed(admin.patch('/v1/corpora/missing', { name: 'X' }), key))).toEqual([404, 'NOT_FOUND']);
    expect(codeOf(await keyed(admin.patch('/v1/corpora/missing', { name: 'Y' }), key))).toEqual([404, 'NOT_FOUND']);
  });

  it('of a form is one with the same fields and the same file', async () => {
    const key = newKey();
    const upload = (name: string, content: string, type = 'text/plain'): Test => {
      const files = [{ filename: name, content, type }];
      return keyed(postForm(admin, formBody({ fields: { corpus_id: library.corpusId }, files })), key);
    };
    const first = await upload('a.txt', 'Otters swim.').expect(202);
    const second = await upload('a.txt', 'Otters swim.').expect(202);
    expect(second.text).toBe(first.text);
    for (const other of [
      upload('a.txt', 'Otters dive.'),
      upload('b.txt', 'Otters swim.'),
      upload('a.txt', 'Otters swim.', 'text/markdown'),
    ]) {
      expect(codeOf(await other)).toEqual([409, 'IDEMPOTENCY_KEY_CONFLICT']);
    }
    expect(await library.ids()).toEqual(expect.arrayContaining([first.body.data.document_id]));
  });
});

describe('another request with the same key', () => {
  it('01 §9 case 2: is refused, and changes nothing', async () => {
    const key = newKey();
    await createCorpus(key, 'First').expect(201);
    expect(codeOf(await createCorpus(key, 'Second'))).toEqual([409, 'IDEMPOTENCY_KEY_CONFLICT']);
    expect(await corporaNamed('Second')).toBe(0);
    await createCorpus(key, 'First').expect(201).expect('Idempotency-Replayed', 'true');
  });

  it('is one whose query or condition differs', async () => {
    const { body } = await createCorpus(newKey(), 'Conditions').expect(201);
    const path = `/v1/corpora/${body.data.id as string}`;
    const key = newKey();
    await keyed(admin.patch(path, {}), key).set('If-Match', '"1"').expect(200);
    expect(codeOf(await keyed(admin.patch(path, {}), key).set('If-Match', '"2"'))).toEqual([
      409,
      'IDEMPOTENCY_KEY_CONFLICT',
    ]);
    await keyed(admin.delete(`${path}?cascade=true`), key).expect(204);
    expect(codeOf(await keyed(admin.delete(`${path}?cascade=false`), key))).toEqual([409, 'IDEMPOTENCY_KEY_CONFLICT']);
    await keyed(admin.delete(`${path}?cascade=true`), key)
      .expect(204)
      .expect('Idempotency-Replayed', 'true');
  });

  it('01 §9 case 3: is worked on when it comes with another credential', async () => {
    const key = newKey();
    const other = await app.actor('admin', admin.tenantId);
    await createCorpus(key, 'Mine').expect(201);
    const theirs = await createCorpus(key, 'Theirs', other).expect(201);
    expect(theirs.get('Idempotency-Replayed')).toBeUndefined();
    const stranger = await app.actor('admin');
    await createCorpus(key, 'Mine', stranger).expect(201);
    expect(await corporaNamed('Mine', stranger)).toBe(1);
  });

  it('is worked on when it goes to another path or has another method', async () => {
    const key = newKey();
    const { body } = await createCorpus(key, 'Paths').expect(201);
    await keyed(admin.patch(`/v1/corpora/${body.data.id as string}`, { name: 'Paths 2' }), key).expect(200);
    await keyed(admin.delete(`/v1/corpora/${body.data.id as string}`), key).expect(204);
  });
});

describe('the key', () => {
  it('01 §9 case 8, 01 §4 case 6: has 1 to 128 characters once it is trimmed', async () => {
    for (const key of ['   ', '', 'x'.repeat(129)]) {
      const response = await createCorpus(key, 'Invalid');
      expect([key.length, ...(codeOf(response) as unknown[])]).toEqual([key.length, 400, 'IDEMPOTENCY_KEY_INVALID']);
    }
    expect(await corporaNamed('Invalid')).toBe(0);
    const long = 'x'.repeat(128);
    await createCorpus(long, 'Long').expect(201);
    await createCorpus(`  ${long} `, 'Long').expect(201).expect('Idempotency-Replayed', 'true');
  });

  it('may be quoted, as the IETF draft has it, and hold any character of a header', async () => {
    for (const key of ['"8e03978e-40d5-43e8-bc93-6894a57f9324"', `'; DROP TABLE corpora; --`, 'é\u00ff,=;%00\\']) {
      const name = `Key ${newKey()}`;
      await createCorpus(key, name).expect(201);
      await createCorpus(key, name).expect(201).expect('Idempotency-Replayed', 'true');
    }
  });

  it('is ignored by reads, and by everything that failed before it was looked at', async () => {
    await keyed(admin.get('/v1/corpora'), '   ').expect(200);
    await keyed(app.anonymous().get('/v1/health'), '   ').expect(200);
    const key = newKey();
    await keyed(admin.post('/v1/corpora', { nonsense: 1 }), key).expect(422);
    const reader = await app.actor('reader', admin.tenantId);
    await createCorpus(key, 'Forbidden', reader).expect(403);
    expect(await app.rows(`SELECT FROM idempotency_records WHERE idem_key = $1`, [key])).toEqual([]);
  });

  it('of any length may come with a path of any length', async () => {
    const path = `/v1/documents/${encodeURIComponent('€'.repeat(512))}`;
    expect((await keyed(admin.delete(path), 'k'.repeat(128))).status).toBe(404);
  });

  it('01 §9 case 9: is ignored by the unversioned aliases', async () => {
    const key = newKey();
    const add = (): Test =>
      keyed(admin.post('/documents/text', { corpus_id: library.corpusId, text: 'Walruses dive.' }), key);
    const ids = [(await add().expect(202)).body.document_id, (await add().expect(202)).body.document_id];
    expect(new Set(ids).size).toBe(2);
    await keyed(admin.post('/corpora', { name: 'Alias' }), '   ').expect(201);
  });
});

describe('what is stored', () => {
  // Answers may hold keys and texts of documents; a copy of the database must not give them away.
  it('01 §9 case 11: shows nothing of the answer', async () => {
    const key = newKey();
    const name = 'nrgk_0123456789abcdef0123456789abcdef_secret';
    const first = await createCorpus(key, name).expect(201);
    const [record] = await app.rows<{ row: string }>(
      `SELECT encode(body_encrypted, 'escape') || to_jsonb(r)::text AS row
         FROM idempotency_records r WHERE idem_key = $1`,
      [key],
    );
    expect(record?.row.length).toBeGreaterThan(200);
    expect(record?.row).not.toMatch(/nrgk_|secret/);
    expect((await createCorpus(key, name).expect(201)).text).toBe(first.text);
  });

  it('cannot be read as the answer to another request, or in another tenant', async () => {
    const [mine, other] = [newKey(), newKey()];
    await createCorpus(mine, 'Sealed 1').expect(201);
    await createCorpus(other, 'Sealed 2').expect(201);
    await app.rows(
      `UPDATE idempotency_records SET body_encrypted =
         (SELECT body_encrypted FROM idempotency_records WHERE idem_key = $1) WHERE idem_key = $2`,
      [mine, other],
    );
    expect(codeOf(await createCorpus(other, 'Sealed 2'))).toEqual([409, 'IDEMPOTENCY_RESULT_LOST']);
    expect(await corporaNamed('Sealed 2')).toBe(1);
  });
});

describe('switched off', () => {
  it('the header is ignored', async () => {
    const off = await TestApp.start({ IDEMPOTENCY_ENABLED: 'false' }, {}, false);
    try {
      const editor = await off.actor('editor');
      await createCorpus('  ', 'Off', editor).expect(201);
      expect(codeOf(await createCorpus('  ', 'Off', editor))).toEqual([409, 'CONFLICT']);
      expect(await off.rows('SELECT FROM idempotency_records')).toEqual([]);
    } finally {
      await off.close();
    }
  });
});
