import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { TestApp, type Actor } from '../../harness/app.js';

const BEDROCK = { provider: 'aws_bedrock_kb', knowledge_base_id: 'KB123', region: 'us-east-1', top_k_default: 5 };
const LOCAL = { retrieval: { provider: 'local_pgvector', top_k_default: 5 } };

let app: TestApp;
let admin: Actor;
let editor: Actor;
let reader: Actor;

beforeAll(async () => {
  app = await TestApp.start();
  admin = await app.actor('admin');
  editor = await app.actor('editor', admin.tenantId);
  reader = await app.actor('reader', admin.tenantId);
});
afterAll(() => app.close());

let names = 0;
async function corpus(owner: Actor = editor): Promise<{ id: string; etag: string }> {
  const response = await owner.post('/v1/corpora', { name: `Corpus ${(names += 1)}` }).expect(201);
  return { id: response.body.data.id as string, etag: response.get('ETag') ?? '' };
}

describe('2xx', () => {
  it('creates a corpus with local retrieval unless told otherwise', async () => {
    const response = await editor.post('/v1/corpora', { id: 'handbook', name: ' Handbook ' }).expect(201);
    expect(response.body.data).toMatchObject({
      id: 'handbook',
      tenant_id: admin.tenantId,
      name: 'Handbook',
      provider_config_json: LOCAL,
    });
    expect(response.get('Location')).toBe('/v1/corpora/handbook');
    const read = await reader.get('/v1/corpora/handbook').expect(200);
    expect(read.body.data).toEqual(response.body.data);
  });

  it('lists the corpora of the own tenant in the order of their creation, page by page', async () => {
    const owner = await app.actor('editor');
    const ids = [];
    for (let i = 0; i < 3; i += 1) ids.push((await corpus(owner)).id);
    await corpus(await app.actor('editor'));
    const first = await owner.get('/v1/corpora?limit=2').expect(200);
    expect(first.body.meta.page).toEqual({ next_cursor: expect.any(String), has_more: true });
    expect(first.get('Link')).toContain('rel="next"');
    const second = await owner.get(`/v1/corpora?limit=2&cursor=${first.body.meta.page.next_cursor}`).expect(200);
    expect(second.body.meta.page).toEqual({ next_cursor: null, has_more: false });
    expect([...first.body.data, ...second.body.data].map((c: { id: string }) => c.id)).toEqual(ids);
  });

  it('stores a Bedrock config and completes an empty one to local retrieval', async () => {
    const { id } = await corpus();
    const changed = await editor
      .patch(`/v1/corpora/${id}`, { provider_config_json: { retrieval: BEDROCK } })
      .expect(200);
    expect(changed.body.data.provider_config_json).toEqual({ retrieval: BEDROCK });
    const reset = await editor.patch(`/v1/corpora/${id}`, { provider_config_json: {} }).expect(200);
    expect(reset.body.data.provider_config_json).toEqual(LOCAL);
  });

  it('keeps keys beside retrieval, and leaves fields that are null or absent as they are', async () => {
    const { id } = await corpus();
    const config = { ...LOCAL, owner: { team: 'search' } };
    await editor.patch(`/v1/corpora/${id}`, { provider_config_json: config }).expect(200);
    const response = await editor.patch(`/v1/corpora/${id}`, { name: null, provider_config_json: null }).expect(200);
    expect(response.body.data.provider_config_json).toEqual(config);
  });

  it('accepts an empty change and records it', async () => {
    const { id, etag } = await corpus();
    const response = await editor.patch(`/v1/corpora/${id}`, {}).expect(200);
    expect(response.get('ETag')).toBe(etag);
    const events = (await app.audit(admin.tenantId)).filter((event) => event['resource_id'] === id);
    expect(events.map((event) => [event['event_type'], event['metadata_json']])).toEqual([
      ['corpora.created', { provider: 'local_pgvector' }],
      ['corpora.updated', { updated_fields: [] }],
    ]);
  });

  it('deletes a corpus', async () => {
    const { id } = await corpus();
    await admin.delete(`/v1/corpora/${id}`).expect(204);
    await reader.get(`/v1/corpora/${id}`).expect(404);
  });
});

describe('4xx', () => {
  it.each([
    ['an unknown provider', { retrieval: { provider: 'nope' } }],
    ['Bedrock without a region', { retrieval: { provider: 'aws_bedrock_kb', knowledge_base_id: 'KB1' } }],
    ['a top_k_default that is text', { retrieval: { provider: 'local_pgvector', top_k_default: '5' } }],
    ['an unknown retrieval key', { retrieval: { provider: 'local_pgvector', colour: 'red' } }],
  ])('422 VALIDATION_ERROR for %s, changing nothing', async (_name, provider_config_json) => {
    const { id } = await corpus();
    const response = await editor.patch(`/v1/corpora/${id}`, { provider_config_json }).expect(422);
    expect(response.body.error.code).toBe('VALIDATION_ERROR');
    expect((await reader.get(`/v1/corpora/${id}`)).body.data.provider_config_json).toEqual(LOCAL);
  });

  it.each([
    ['an unknown field', { name: 'x', colour: 'red' }],
    ['a blank name', { name: '  ' }],
    ['an id that is no id', { id: '../x', name: 'x' }],
    ['a config that is no object', { name: 'x', provider_config_json: [] }],
  ])('422 REQUEST_VALIDATION_ERROR for %s', async (_name, body) => {
    const response = await editor.post('/v1/corpora', body).expect(422);
    expect(response.body.error.code).toBe('REQUEST_VALIDATION_ERROR');
  });

  it('409 CONFLICT when the id or the name is taken', async () => {
    await editor.post('/v1/corpora', { id: 'taken', name: 'Taken' }).expect(201);
    for (const body of [
      { id: 'taken', name: 'Other' },
      { id: 'other', name: 'Taken' },
    ]) {
      const response = await editor.post('/v1/corpora', body).expect(409);
      expect(response.body.error.code).toBe('CONFLICT');
    }
  });

  it('412 for the loser of two changes with one ETag', async () => {
    const { id, etag } = await corpus();
    const change = (name: string) => editor.patch(`/v1/corpora/${id}`, { name }).set('If-Match', etag);
    const statuses = (await Promise.all([change('First wins'), change('Second wins')])).map((r) => r.status);
    expect(statuses.sort()).toEqual([200, 412]);
  });

  it('400 for a cursor that we did not make', async () => {
    const response = await reader.get('/v1/corpora?cursor=abc').expect(400);
    expect(response.body.error.code).toBe('INVALID_CURSOR');
  });

  it('403 for a reader that changes and an editor that deletes', async () => {
    const { id } = await corpus();
    await reader.patch(`/v1/corpora/${id}`, { name: 'x' }).expect(403);
    await editor.delete(`/v1/corpora/${id}`).expect(403);
  });

  it('400 for tenant_id in the body', async () => {
    const response = await editor.post('/v1/corpora', { name: 'x', tenant_id: 't2' }).expect(400);
    expect(response.body.error.code).toBe('TENANT_ID_NOT_ALLOWED');
  });

  it('answers a foreign corpus as a missing one, to every method', async () => {
    const { id } = await corpus();
    const stranger = await app.actor('admin');
    const same = (body: { error: unknown }) => JSON.stringify(body.error);
    const pairs = await Promise.all([
      Promise.all([stranger.get(`/v1/corpora/${id}`), stranger.get('/v1/corpora/missing')]),
      Promise.all([
        stranger.patch(`/v1/corpora/${id}`, { name: 'x' }),
        stranger.patch('/v1/corpora/missing', { name: 'x' }),
      ]),
      Promise.all([stranger.delete(`/v1/corpora/${id}`), stranger.delete('/v1/corpora/missing')]),
    ]);
    for (const [foreign, missing] of pairs) {
      expect(foreign.status).toBe(404);
      expect(same(foreign.body)).toBe(same(missing.body));
    }
    await reader.get(`/v1/corpora/${id}`).expect(200);
  });
});
