import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { Groups } from '../../../src/features/rbac-abac/index.js';
import { TestApp, type Actor } from '../../harness/app.js';
import { newCorpus, putChunks, type TestGrant } from '../retrieval/chunks.js';
import { ScriptedChat } from '../run/scripted-chat.js';
import { AUTHZ } from './authz.js';

/** Grants that a principal may have for its documents to be gathered ahead of the search. */
const FEW_GRANTS = 1000;
const NOW = Date.now();
const HOUR = 3_600_000;
const EMBARGO = { start: '2026-01-01', end: '2026-12-31' };

/** Whom a grant may name; the test fills in ids. Groups: the reader is in g1, the editor in g2. */
const HOLDERS = ['reader', 'editor', 'reader role', 'editor role', 'reader key', 'g1', 'g2', 'stranger'] as const;
type Holder = (typeof HOLDERS)[number];
const HOLDS: Readonly<Record<'reader' | 'editor', readonly Holder[]>> = {
  reader: ['reader', 'reader role', 'reader key', 'g1'],
  editor: ['editor', 'editor role', 'g2'],
};

const grant = fc.record({
  to: fc.constantFrom(...HOLDERS),
  permission: fc.constantFrom('read', 'write', 'delete', 'reindex', 'owner'),
  expires: fc.constantFrom('never', 'later', 'long ago'),
});
const document = fc.record({
  grants: fc.uniqueArray(grant, {
    maxLength: 3,
    selector: ({ to, permission }) => `${to} ${permission}`,
  }),
  passages: fc.integer({ min: 1, max: 3 }),
  level: fc.constantFrom('none', 'low', 'secret'),
  until: fc.constantFrom(undefined, '2025-06-30', '2026-06-30', 'soon'),
});
const world = fc.record({
  documents: fc.array(document, { minLength: 4, maxLength: 9 }),
  /** Refuses documents by a label; the database can tell. */
  hidesSecrets: fc.boolean(),
  /** Refuses documents by a date in their metadata; the database cannot tell, and every hit must be asked about. */
  hidesEmbargoed: fc.boolean(),
  feedback: fc.boolean(),
  weights: fc.constantFrom(undefined, { bm25: 1, vector: 0 }, { bm25: 0, vector: 1 }),
  manyGrants: fc.boolean(),
});
type World = typeof world extends fc.Arbitrary<infer T> ? T : never;
type Document = World['documents'][number];

/** Written without the product's rules. */
function mayRead(who: 'reader' | 'editor', { grants, level, until }: Document, rules: World): boolean {
  const granted = grants.some(({ to, expires }) => HOLDS[who].includes(to) && expires !== 'long ago');
  const secret = rules.hidesSecrets && level === 'secret';
  const embargoed = rules.hidesEmbargoed && until === '2026-06-30';
  return granted && !secret && !embargoed;
}

const chat = new ScriptedChat(async function* ({ request }) {
  // Says all that it was told.
  yield { type: 'delta', text: JSON.stringify(request) };
});
let app: TestApp;

beforeAll(async () => {
  const env = { RETRIEVAL_EXACT_UP_TO: '5', RETRIEVAL_MAX_TOP_K: '50', DEBUG_EVENTS: 'true', LOG_LEVEL: 'DEBUG' };
  app = await TestApp.start(env, { chat });
});
afterAll(() => app.close());

interface Placed extends Document {
  readonly id: string;
  readonly canary: string;
}

let canaries = 0;
let sessions = 0;

/** A tenant with these documents, each passage with the word that gives its document away. */
class Place {
  readonly documents: Placed[] = [];
  corpusId = '';

  private constructor(
    readonly admin: Actor,
    readonly people: Readonly<Record<'reader' | 'editor', Actor>>,
  ) {}

  static async of(rules: World): Promise<Place> {
    const admin = await app.actor('admin');
    const [reader, editor] = [await app.actor('reader', admin.tenantId), await app.actor('editor', admin.tenantId)];
    const place = new Place(admin, { reader, editor });
    jest
      .spyOn(app.app.nest.get(Groups), 'of')
      .mockImplementation(async (subject) =>
        subject === admin.userId ? [] : [{ id: subject === reader.userId ? 'g1' : 'g2', name: 'Birds' }],
      );
    await place.#furnish(rules);
    return place;
  }

  async #furnish({ documents, hidesSecrets, hidesEmbargoed, feedback, weights, manyGrants }: World): Promise<void> {
    const retrieval = { provider: 'local_pgvector', feedback, ...(weights === undefined ? {} : { weights }) };
    this.corpusId = await newCorpus(this.admin, { ...retrieval, top_k_default: 20 });
    for (const document of documents) await this.#put(document);
    if (hidesSecrets) await this.#deny({ eq: [{ var: 'resource.labels.level' }, 'secret'] });
    if (hidesEmbargoed) await this.#deny({ date_between: [{ var: 'resource.metadata.until' }, EMBARGO] });
    if (manyGrants) for (const actor of Object.values(this.people)) await this.#grantMany(actor);
  }

  async #put(document: Document): Promise<void> {
    const canary = `zq${(canaries += 1)}zq`;
    const texts = Array.from({ length: document.passages }, (_, n) => ({ text: `penguin number ${n} ${canary}` }));
    const grants = document.grants.map(({ to, permission, expires }): TestGrant => {
      const expiresAt = expires === 'never' ? {} : { expiresAt: new Date(NOW + (expires === 'later' ? HOUR : -HOUR)) };
      return { to: this.#holder(to), permission, ...expiresAt };
    });
    const { tenantId } = this.admin;
    const id = await putChunks(app, tenantId, this.corpusId, texts, grants);
    if (document.level !== 'none') {
      await app.rows(`INSERT INTO document_labels (tenant_id, document_id, key, value) VALUES ($1, $2, 'level', $3)`, [
        tenantId,
        id,
        document.level,
      ]);
    }
    await app.rows(`UPDATE documents SET metadata_json = $3 WHERE tenant_id = $1 AND id = $2`, [
      tenantId,
      id,
      JSON.stringify({ until: document.until }),
    ]);
    this.documents.push({ ...document, id, canary });
  }

  #holder(holder: Holder): TestGrant['to'] {
    const { reader, editor } = this.people;
    switch (holder) {
      case 'reader role':
        return ['role', 'reader'];
      case 'editor role':
        return ['role', 'editor'];
      case 'reader key':
        return ['api_key', reader.keyId];
      case 'g1':
      case 'g2':
        return ['group', holder];
      case 'stranger':
        return ['user', 'stranger'];
      default:
        return ['user', holder === 'reader' ? reader.userId : editor.userId];
    }
  }

  async #deny(condition_json: object): Promise<void> {
    const policy = { name: 'deny', effect: 'deny', resource_type: 'document', action: 'read', condition_json };
    await this.admin.post(`${AUTHZ}/policies`, policy).expect(201);
  }

  /** On documents of another corpus. */
  async #grantMany({ userId, tenantId }: Actor): Promise<void> {
    const other = await newCorpus(this.admin);
    const values = [tenantId, other, userId, FEW_GRANTS + 1];
    await app.rows(
      `WITH others AS (
         INSERT INTO documents (tenant_id, id, corpus_id, uri, filename, content_type, ingest_source, status,
                                content_sha256, byte_count, chunker, chunk_size_chars, chunk_overlap_chars, created_by)
         SELECT $1, $2 || '-' || n, $2, '', '', '', 'raw_text', 'succeeded', '', 0, 'v1', 1200, 0, 'test'
           FROM generate_series(1, $4::int) AS n RETURNING id)
       INSERT INTO document_permissions
         (tenant_id, id, document_id, principal_type, principal_id, permission, granted_by)
       SELECT $1, id, id, 'user', $3, 'read', 'test' FROM others`,
      values,
    );
  }
}

interface Item {
  readonly document_id: string;
  readonly text: string;
}

async function search({ corpusId }: Place, by: Actor, q: string): Promise<Item[]> {
  const query = new URLSearchParams({ q, top_k: '50' }).toString();
  const response = await by.get(`/v1/corpora/${corpusId}/search?${query}`).expect(200);
  return response.body.data.items as Item[];
}

/** All that a question by this person leaves behind, wherever it does. */
async function traces({ corpusId, admin }: Place, by: Actor): Promise<string> {
  const [asked, logged] = [chat.calls.length, app.logs.length];
  const audited = (await app.audit(admin.tenantId)).length;
  const session_id = `leaks-${(sessions += 1)}`;
  const run = await by.post('/v1/run', { session_id, corpus_id: corpusId, message: 'penguin' }).expect(200);
  expect(chat.calls).toHaveLength(asked + 1);
  const stored = await Promise.all(
    ['sessions', 'messages', 'checkpoints'].map((table) =>
      app.rows(`SELECT t.* FROM ${table} t WHERE tenant_id = $1 AND subject_id = $2`, [admin.tenantId, by.userId]),
    ),
  );
  const audit = (await app.audit(admin.tenantId)).slice(audited);
  return JSON.stringify([run.text, chat.lastCall.request, stored, audit, app.logs.slice(logged)]);
}

async function expectNoLeak(place: Place, who: 'reader' | 'editor', rules: World): Promise<void> {
  const actor = place.people[who];
  const readable = place.documents.filter((document) => mayRead(who, document, rules));
  const closed = place.documents.filter((document) => !readable.includes(document));
  const found = await search(place, actor, 'penguin');
  const passages = (documents: readonly Placed[]): string[] =>
    documents.flatMap(({ id, passages }) => new Array<string>(passages).fill(id));
  expect(found.map(({ document_id }) => document_id).sort()).toEqual(passages(readable).sort());
  const seen = await traces(place, actor);
  for (const { id, canary } of closed) {
    expect(seen).not.toContain(canary);
    expect(seen).not.toContain(id);
  }
  for (const { id, canary } of readable) {
    expect(seen).toContain(canary);
    expect(seen).toContain(id);
  }
  for (const { canary } of closed) {
    const guessed = JSON.stringify(await search(place, actor, canary));
    for (const other of closed) expect(guessed).not.toContain(other.canary);
  }
}

describe('whatever the documents, the grants and the policies', () => {
  // Each document has a word of its own; one such word in the wrong hands is the leak that nobody may ever have.
  it('nothing of a document that somebody cannot read reaches them, and all that they can read does', async () => {
    const property = fc.asyncProperty(world, async (rules) => {
      const place = await Place.of(rules);
      await expectNoLeak(place, 'reader', rules);
      await expectNoLeak(place, 'editor', rules);
    });
    await fc.assert(property, { numRuns: 12, endOnFailure: true });
  }, 300_000);
});
