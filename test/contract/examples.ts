import supertest, { type Test } from 'supertest';
import type { Route } from '../../src/kernel/operation.js';
import type { Actor, TestApp } from '../harness/app.js';
import { eventually } from '../harness/eventually.js';

/** What an identifier in a request can name. */
export type Resource = 'corpus' | 'staleCorpus' | 'document' | 'session' | 'run';

export type Ids = Readonly<Record<Resource, string>>;

/** The smallest valid request of an operation. Places are written `path.id`, `query.corpus_id`, `body.corpus_id`. */
export interface Example {
  /** Identifiers of resources that must exist. */
  readonly names?: Readonly<Record<string, Resource>>;
  /** Identifiers that callers make up. Another tenant may use the same. */
  readonly invents?: Readonly<Record<string, Resource>>;
  readonly query?: Readonly<Record<string, string>>;
  /** The body beside its identifiers; `unique` is a text that no other request has. */
  readonly body?: (unique: string) => Readonly<Record<string, string>>;
  readonly file?: string;
}

/** By operation. A contract test demands one for every route, and that each is accepted. */
export const EXAMPLES: Readonly<Record<string, Example>> = {
  'corpora.create': { invents: { 'body.id': 'corpus' }, body: (unique) => ({ name: unique }) },
  'corpora.delete': { names: { 'path.id': 'corpus' }, query: { cascade: 'true' } },
  'corpora.get': { names: { 'path.id': 'corpus' } },
  'corpora.index': { names: { 'path.id': 'corpus' } },
  'corpora.list': {},
  'corpora.reembed': { names: { 'path.id': 'staleCorpus' } },
  'corpora.search': { names: { 'path.id': 'corpus' }, query: { q: 'When does the harbour open?' } },
  'corpora.update': { names: { 'path.id': 'corpus' }, body: (unique) => ({ name: unique }) },
  'documents.content': { names: { 'path.id': 'document' }, query: { from: '0', to: '10' } },
  'documents.createText': {
    names: { 'body.corpus_id': 'corpus' },
    invents: { 'body.document_id': 'document' },
    body: (unique) => ({ text: `The text of ${unique}.` }),
  },
  'documents.delete': { names: { 'path.id': 'document' } },
  'documents.get': { names: { 'path.id': 'document' } },
  'documents.list': { names: { 'query.corpus_id': 'corpus' } },
  'documents.reindex': { names: { 'path.id': 'document' }, body: () => ({}) },
  'documents.upload': {
    names: { 'body.corpus_id': 'corpus' },
    invents: { 'body.document_id': 'document' },
    body: () => ({}),
    file: 'A file.',
  },
  'health.get': {},
  'health.live': {},
  'health.ready': {},
  'run.create': {
    names: { 'body.corpus_id': 'corpus' },
    invents: { 'body.session_id': 'session' },
    body: () => ({ message: 'What is in the corpus?' }),
  },
  'run.events': { names: { 'path.id': 'run' } },
  'sessions.delete': { names: { 'path.id': 'session' } },
  'sessions.list': {},
  'sessions.messages': { names: { 'path.id': 'session' } },
};

export interface Call {
  readonly method: 'get' | 'post' | 'put' | 'patch' | 'delete';
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly body: Readonly<Record<string, string>> | undefined;
  readonly file: string | undefined;
}

let calls = 0;

/**
 * A valid request of the operation.
 *
 * @param named the resources it names.
 * @param replaced identifiers to send in some places instead.
 */
export function callOf(route: Route, named: Ids, replaced: Readonly<Record<string, string>> = {}): Call {
  const { names = {}, invents = {}, query = {}, body, file } = exampleOf(route);
  const unique = `${route.operation.id}-${(calls += 1)}`;
  const values = {
    ...Object.fromEntries(Object.entries(names).map(([place, resource]) => [place, named[resource]])),
    ...Object.fromEntries(Object.keys(invents).map((place) => [place, unique])),
    ...replaced,
  };
  const at = (place: string): Record<string, string> =>
    Object.fromEntries(
      Object.entries(values)
        .filter(([key]) => key.startsWith(`${place}.`))
        .map(([key, value]) => [key.slice(place.length + 1), value]),
    );
  const inPath = at('path');
  return {
    method: route.method.toLowerCase() as Call['method'],
    path: route.path.replaceAll(/:(\w+)/g, (_, name: string) => inPath[name] ?? ''),
    query: { ...query, ...at('query') },
    body: body === undefined ? undefined : { ...body(unique), ...at('body') },
    file,
  };
}

export function exampleOf({ operation }: Route): Example {
  const example = EXAMPLES[operation.id];
  if (example === undefined) throw new Error(`${operation.id} has no example in test/contract/examples.ts.`);
  return example;
}

export function send(app: TestApp, { method, path, query, body, file }: Call, token?: string): Test {
  const test = supertest(app.url)[method](path).query(query);
  if (token !== undefined) test.set('Authorization', `Bearer ${token}`);
  if (file !== undefined) {
    for (const [name, value] of Object.entries(body ?? {})) test.field(name, value);
    return test.attach('file', Buffer.from(file), { filename: 'file.txt', contentType: 'text/plain' });
  }
  return body === undefined ? test : test.send(body);
}

/**
 * A corpus with an ingested document, a corpus that is searched with a model of former times, and a session in which a
 * question was answered. Nothing runs afterwards.
 *
 * @param asker whose session and run it is.
 */
export async function furnish(app: TestApp, admin: Actor, asker = admin): Promise<Ids> {
  const unique = `furniture-${(calls += 1)}`;
  const corpus = await admin.post('/v1/corpora', { id: `${unique}-c`, name: unique }).expect(201);
  const corpus_id = (corpus.body as { data: { id: string } }).data.id;
  const document = { corpus_id, document_id: `${unique}-d`, text: 'The harbour opens at nine.' };
  await admin.post('/v1/documents/text', document).expect(202);
  await idle(app, admin.tenantId);
  const session = { session_id: `${unique}-s`, corpus_id, message: 'When does the harbour open?' };
  const run = (await asker.post('/v1/run', session).expect(200)).get('X-Run-Id') ?? '';
  const staleCorpus = `${unique}-old`;
  await admin.post('/v1/corpora', { id: staleCorpus, name: staleCorpus }).expect(201);
  await app.rows(`INSERT INTO corpus_indexes (tenant_id, corpus_id, embedding_model) VALUES ($1, $2, 'former')`, [
    admin.tenantId,
    staleCorpus,
  ]);
  return { corpus: corpus_id, staleCorpus, document: document.document_id, session: session.session_id, run };
}

/** Resolves when every job of the tenant is done. */
export async function idle(app: TestApp, tenantId: string): Promise<void> {
  await eventually(async () => {
    const open = await app.rows(`SELECT id FROM outbox_jobs WHERE tenant_id = $1 AND state <> 'done'`, [tenantId]);
    if (open.length > 0) throw new Error('Jobs are still running.');
  });
}

/** Identifiers that nobody has. */
export const MISSING: Ids = {
  corpus: 'no-such-corpus',
  staleCorpus: 'no-such-corpus',
  document: 'no-such-document',
  session: 'no-such-session',
  run: '00000000-0000-7000-8000-000000000000',
};
