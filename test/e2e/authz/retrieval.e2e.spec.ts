import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Groups } from '../../../src/features/rbac-abac/index.js';
import { TestApp, type Actor } from '../../harness/app.js';
import { parseEvents } from '../../harness/sse.js';
import { newCorpus, putChunks, type TestChunk, type TestGrant } from '../retrieval/chunks.js';
import { ScriptedChat } from '../run/scripted-chat.js';
import { only } from '../run/stage.js';
import { AUTHZ } from './authz.js';

interface Item {
  readonly chunk_id: string;
  readonly document_id: string;
  readonly text: string;
}

const chat = new ScriptedChat();
let app: TestApp;
let admin: Actor;

beforeAll(async () => {
  // So low that the vector index is used, and left for exact comparison, with the few passages of a test.
  app = await TestApp.start({ RETRIEVAL_EXACT_UP_TO: '200', DEBUG_EVENTS: 'true', LOG_LEVEL: 'DEBUG' }, { chat });
  admin = await app.actor('admin');
});
afterAll(() => app.close());

const to = (...grantees: readonly TestGrant['to'][]): TestGrant[] => grantees.map((grantee) => ({ to: grantee }));
const user = (actor: Actor): TestGrant['to'] => ['user', actor.userId];

const put = (corpusId: string, texts: readonly string[], grants: readonly TestGrant[]): Promise<string> =>
  putChunks(
    app,
    admin.tenantId,
    corpusId,
    texts.map((text): TestChunk => ({ text })),
    grants,
  );

async function search(by: Actor, corpusId: string, q: string, topK = 20): Promise<Item[]> {
  const query = new URLSearchParams({ q, top_k: String(topK) }).toString();
  const response = await by.get(`/v1/corpora/${corpusId}/search?${query}`).expect(200);
  return response.body.data.items as Item[];
}

async function found(by: Actor, corpusId: string, q = 'penguin'): Promise<Set<string>> {
  return new Set((await search(by, corpusId, q)).map(({ document_id }) => document_id));
}

let sessions = 0;
const asked = (corpusId: string, message: string): object => ({
  session_id: `session-${(sessions += 1)}`,
  corpus_id: corpusId,
  message,
});

const prompt = (): string => JSON.stringify(chat.lastCall.request);

const local = (more: object = {}): Record<string, unknown> => ({ provider: 'local_pgvector', ...more });

describe('a question', () => {
  it('06 case 27: 02 case 7: is answered without the passages of documents that its asker cannot read', async () => {
    const reader = await app.actor('reader', admin.tenantId);
    const corpusId = await newCorpus(admin);
    const open = await put(corpusId, ['A penguin eats krill.'], to(user(reader)));
    const closed = await put(corpusId, ['A penguin eats capelin.', 'penguin penguin'], to(user(admin)));
    const response = await reader.post('/v1/run', asked(corpusId, 'What does a penguin eat?')).expect(200);
    expect(only(parseEvents(response.text), 'debug.retrieval')).toMatchObject({ num_chunks: 1 });
    expect(prompt()).toContain('krill');
    for (const seen of [prompt(), response.text]) {
      expect(seen).not.toContain('capelin');
      expect(seen).not.toContain(closed);
    }
    expect(response.text).toContain(open);
    const kept = await app.rows(`SELECT c.* FROM checkpoints c WHERE tenant_id = $1`, [admin.tenantId]);
    expect(JSON.stringify(kept)).toContain(open);
    expect(JSON.stringify([kept, await app.audit(admin.tenantId), app.logs])).not.toMatch(
      new RegExp(`capelin|${closed}`),
    );
  });

  // Somebody who lost access and still gets answers from the document would have lost it in name only.
  it('finds nothing more once the grant is revoked between two turns', async () => {
    const reader = await app.actor('reader', admin.tenantId);
    const corpusId = await newCorpus(admin);
    const documentId = await put(corpusId, ['A penguin eats krill.'], to(user(reader)));
    const body = { ...asked(corpusId, 'What does a penguin eat?'), stream: false };
    const first = await reader.post('/v1/run', body).expect(200);
    expect(first.body.data.citations).toHaveLength(1);
    await app.rows(`DELETE FROM document_permissions WHERE tenant_id = $1 AND document_id = $2`, [
      admin.tenantId,
      documentId,
    ]);
    const second = await reader.post('/v1/run', body).expect(200);
    expect(second.body.data.citations).toEqual([]);
    expect(prompt()).not.toContain('krill');
  });
});

describe('a search', () => {
  it('finds what any grant gives: to the user, the role, the key or a group, whatever the permission', async () => {
    const reader = await app.actor('reader', admin.tenantId);
    const groups = jest
      .spyOn(app.app.nest.get(Groups), 'of')
      .mockImplementation(async (subject) => (subject === reader.userId ? [{ id: 'g1', name: 'Birds' }] : []));
    const corpusId = await newCorpus(admin);
    const grants: readonly TestGrant[] = [
      { to: user(reader) },
      { to: ['role', 'reader'], permission: 'write' },
      { to: ['api_key', reader.keyId], permission: 'delete' },
      { to: ['group', 'g1'], permission: 'reindex' },
    ];
    const readable: string[] = [];
    for (const given of grants) readable.push(await put(corpusId, ['penguin'], [given]));
    for (const grantee of [user(admin), ['role', 'editor'], ['api_key', admin.keyId], ['group', 'Birds']] as const) {
      await put(corpusId, ['penguin'], to(grantee));
    }
    expect(await found(reader, corpusId)).toEqual(new Set(readable));
    groups.mockRestore();
    expect(await found(reader, corpusId)).toEqual(new Set(readable.slice(0, 3)));
  });

  it('finds nothing by a grant that has expired', async () => {
    const reader = await app.actor('reader', admin.tenantId);
    const corpusId = await newCorpus(admin);
    const now = Date.now();
    await put(corpusId, ['penguin'], [{ to: user(reader), permission: 'owner', expiresAt: new Date(now - 1000) }]);
    const until = await put(corpusId, ['penguin'], [{ to: user(reader), expiresAt: new Date(now + 3_600_000) }]);
    expect(await found(reader, corpusId)).toEqual(new Set([until]));
  });

  it('finds nothing for somebody without a grant, admins included', async () => {
    const corpusId = await newCorpus(admin);
    await put(corpusId, ['penguin'], to(['user', 'somebody else']));
    expect(await search(admin, corpusId, 'penguin')).toEqual([]);
  });
});

describe('as many passages as asked for', () => {
  const GOOD = 'penguin penguin penguin';
  const CLOSED = 500;
  const readable = new Set<string>();
  const actors = new Map<string, Actor>();
  let corpusId: string;

  /** Documents that are not searched here; with so many grants, nobody's documents are gathered beforehand. */
  async function grantMany({ userId, tenantId }: Actor): Promise<void> {
    const other = await newCorpus(admin);
    await app.rows(
      `WITH others AS (
         INSERT INTO documents (tenant_id, id, corpus_id, uri, filename, content_type, ingest_source, status,
                                content_sha256, byte_count, chunker, chunk_size_chars, chunk_overlap_chars, created_by)
         SELECT $1, $2 || '-' || n, $2, '', '', '', 'raw_text', 'succeeded', '', 0, 'v1', 1200, 0, 'test'
           FROM generate_series(1, 1100) AS n RETURNING id)
       INSERT INTO document_permissions
         (tenant_id, id, document_id, principal_type, principal_id, permission, granted_by)
       SELECT $1, id, id, 'user', $3, 'read', 'test' FROM others`,
      [tenantId, other, userId],
    );
  }

  /** Closed to one person by a date, which the database does not compare: every hit is asked about. */
  async function embargo({ userId }: Actor): Promise<void> {
    const until = { date_between: [{ var: 'resource.metadata.until' }, { start: '2026-01-01', end: '2026-12-31' }] };
    const condition_json = { all: [{ eq: [{ var: 'principal.id' }, userId] }, until] };
    const policy = { name: 'embargo', effect: 'deny', resource_type: 'document', action: 'read', condition_json };
    await admin.post(`${AUTHZ}/policies`, policy).expect(201);
  }

  beforeAll(async () => {
    for (const name of ['few grants', 'many grants', 'few grants and policies', 'many grants and policies']) {
      const actor = await app.actor('reader', admin.tenantId);
      actors.set(name, actor);
      if (name.startsWith('many')) await grantMany(actor);
      if (name.endsWith('policies')) await embargo(actor);
    }
    const ruled = [...actors].filter(([name]) => name.endsWith('policies')).map(([, actor]) => user(actor));
    corpusId = await newCorpus(admin, local({ top_k_default: 20 }));
    for (let n = 0; n < CLOSED; n += 50) {
      const id = await put(corpusId, new Array<string>(50).fill(GOOD), to(...ruled));
      await app.rows(
        `UPDATE documents SET metadata_json = '{"until": "2026-06-30"}' WHERE tenant_id = $1 AND id = $2`,
        [admin.tenantId, id],
      );
    }
    for (let n = 0; n < 15; n += 1) {
      const texts = [`a penguin walks ${n}`, `${n} walruses`];
      readable.add(await put(corpusId, texts, to(...[...actors.values()].map(user))));
    }
  }, 60_000);

  it.each(['few grants', 'many grants', 'few grants and policies', 'many grants and policies'])(
    'are found whenever there are so many, and no more: with %s',
    async (name) => {
      const actor = actors.get(name) ?? admin;
      for (const [weights, passages] of [
        [undefined, 20],
        [{ bm25: 1, vector: 0 }, 15],
        [{ bm25: 0, vector: 1 }, 20],
      ] as const) {
        const retrieval = local(weights === undefined ? {} : { weights });
        await admin.patch(`/v1/corpora/${corpusId}`, { provider_config_json: { retrieval } }).expect(200);
        for (const q of ['penguin', GOOD]) {
          const ids = (await search(actor, corpusId, q)).map(({ document_id }) => document_id);
          expect(ids).toHaveLength(passages);
          expect(ids.filter((id) => !readable.has(id))).toEqual([]);
        }
      }
    },
  );
});

describe('feedback', () => {
  // A word of a closed document that joined the question would bring up what its readers look for.
  it('takes no words from documents that cannot be read', async () => {
    const reader = await app.actor('reader', admin.tenantId);
    const corpusId = await newCorpus(admin, local({ feedback: true, weights: { bm25: 1, vector: 0 } }));
    const harbour = await put(corpusId, ['The harbour has a ferry.'], to(user(reader)));
    const ferry = await put(corpusId, ['Ferry timetable'], to(user(reader)));
    const scandal = await put(corpusId, ['A scandal in the archive'], to(user(reader)));
    expect(await found(reader, corpusId, 'harbour')).toEqual(new Set([harbour, ferry]));
    const closed = await put(corpusId, new Array<string>(5).fill('harbour scandal scandal'), to(user(admin)));
    expect(await found(reader, corpusId, 'harbour')).toEqual(new Set([harbour, ferry]));
    await app.grant(admin.tenantId, closed, reader);
    expect(await found(reader, corpusId, 'harbour')).toEqual(new Set([harbour, ferry, closed, scandal]));
  });
});

describe('RETRIEVAL_ENFORCE_DOCUMENT_ACL=false', () => {
  it('finds everything for everybody who may ask the corpus', async () => {
    const lax = await TestApp.start({ RETRIEVAL_ENFORCE_DOCUMENT_ACL: 'false' }, { chat }, false);
    try {
      const reader = await lax.actor('reader');
      const corpusId = await newCorpus(await lax.actor('editor', reader.tenantId));
      const closed = await putChunks(lax, reader.tenantId, corpusId, [{ text: 'penguin' }], []);
      expect(await found(reader, corpusId)).toEqual(new Set([closed]));
    } finally {
      await lax.close();
    }
  });
});
