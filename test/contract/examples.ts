import supertest, { type Test } from 'supertest';
import type { Route } from '../../src/kernel/operation.js';
import type { Actor, TestApp } from '../harness/app.js';
import { eventually } from '../harness/eventually.js';

/** What an identifier in a request can name. */
export type Resource =
  | 'tenant'
  | 'key'
  | 'corpus'
  | 'staleCorpus'
  | 'document'
  | 'session'
  | 'run'
  | 'auditEvent'
  | 'actor'
  | 'request'
  | 'delivery'
  | 'user'
  | 'policy'
  | 'idlePolicy'
  | 'permission'
  | 'template';

/** Identifiers that name nothing of a tenant: of the catalogue, which all share, and of a place in a stream. */
export const COMMON_IDS = ['body.plan_id', 'header.last-event-id'];

/** Inputs without which another one is not looked at. */
export const BESIDE: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'header.x-run-id': { 'header.last-event-id': '0' },
};

/** Belongs to no tenant: operators, as every admin is in these tests, find it whoever made it. */
export const OWNERLESS: Resource = 'template';

export type Ids = Readonly<Record<Resource, string>>;

/**
 * The smallest valid request of an operation. Places are written `path.id`, `query.corpus_id`, `body.corpus_id`,
 * `header.x-run-id`. The path's `:tenant` is the caller's own.
 */
export interface Example {
  /** Identifiers of resources that must exist. */
  readonly names?: Readonly<Record<string, Resource>>;
  /** Identifiers that callers make up. Another tenant may use the same. */
  readonly invents?: Readonly<Record<string, Resource>>;
  /** Parts of the path that are no identifiers. */
  readonly path?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string>>;
  /** The body beside its identifiers; `unique` is a text that no other request has. */
  readonly body?: (unique: string) => Readonly<Record<string, unknown>>;
  readonly file?: string;
  /** Audit events of this request, where the operation declares further ones for other requests. */
  readonly writes?: readonly string[];
}

const OF_EVENTS = {
  'query.tenant_id': 'tenant',
  'query.resource_id': 'corpus',
  'query.actor_id': 'actor',
  'query.request_id': 'request',
} as const;

const QUESTION = { resource_type: 'document', action: 'read' };
/** Applies to nothing. */
const POLICY = { effect: 'deny', resource_type: 'document', action: 'read', condition_json: { any: [] } };

/** By operation. A contract test demands one for every route, and that each is accepted. */
export const EXAMPLES: Readonly<Record<string, Example>> = {
  'access.explain': {
    names: { 'body.principal_id': 'user', 'body.document_id': 'document' },
    body: () => ({ principal_type: 'user', action: 'read' }),
  },
  'api-keys.list': { names: { 'query.tenant_id': 'tenant' } },
  'api-keys.rotate': { names: { 'path.key_id': 'key' }, body: () => ({}) },
  'api-keys.update': {
    names: { 'path.key_id': 'key' },
    body: (unique) => ({ name: unique }),
    writes: ['auth.api_key.updated'],
  },
  'audit.export': { names: OF_EVENTS },
  'audit.get': { names: { 'path.id': 'auditEvent' } },
  'audit.list': { names: OF_EVENTS },
  'audit.verify': { names: { 'query.tenant_id': 'tenant' } },
  'authz.posture': {},
  'billing.testWebhook': {},
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
  'documents.replaceLabels': { names: { 'path.id': 'document' }, body: () => ({ labels: { level: 'high' } }) },
  'documents.upload': {
    names: { 'body.corpus_id': 'corpus' },
    invents: { 'body.document_id': 'document' },
    body: () => ({}),
    file: 'A file.',
  },
  'health.get': {},
  'health.live': {},
  'health.ready': {},
  'maintenance.run': { query: { task: 'prune_idempotency' } },
  'permissions.grant': {
    names: { 'path.document_id': 'document' },
    invents: { 'body.principal_id': 'user' },
    body: () => ({ principal_type: 'user', permission: 'read' }),
  },
  'permissions.grantMany': {
    names: { 'path.document_id': 'document' },
    body: (unique) => ({ permissions: [{ principal_type: 'user', principal_id: unique, permission: 'read' }] }),
  },
  'permissions.list': { names: { 'path.document_id': 'document' } },
  'permissions.revoke': { names: { 'path.document_id': 'document', 'path.permission_id': 'permission' } },
  'plans.assign': { body: () => ({ plan_id: 'pro' }) },
  'plans.clearOverride': { path: { feature_key: 'feature.high_quota_tier' } },
  'plans.get': {},
  'plans.list': {},
  'plans.override': { body: () => ({ feature_key: 'feature.tts', enabled: true }) },
  'plans.requestUpgrade': { body: () => ({ target_plan: 'pro' }) },
  'policies.create': { body: (unique) => ({ ...POLICY, name: unique }) },
  'policies.delete': { names: { 'path.policy_id': 'policy' } },
  'policies.disable': { names: { 'path.policy_id': 'policy' } },
  'policies.enable': { names: { 'path.policy_id': 'idlePolicy' } },
  'policies.get': { names: { 'path.policy_id': 'policy' } },
  'policies.list': {},
  'policies.simulate': { names: { 'path.policy_id': 'policy' }, body: () => QUESTION },
  'policies.simulateDraft': { body: () => ({ ...QUESTION, policy: POLICY }) },
  'policies.update': { names: { 'path.policy_id': 'policy' }, body: (unique) => ({ name: unique }) },
  'policies.versions': { names: { 'path.policy_id': 'policy' } },
  'policy-templates.create': { body: (unique) => ({ ...POLICY, name: unique }) },
  'policy-templates.delete': { names: { 'path.template_id': 'template' } },
  'policy-templates.get': { names: { 'path.template_id': 'template' } },
  'policy-templates.list': {},
  'policy-templates.update': { names: { 'path.template_id': 'template' }, body: (unique) => ({ name: unique }) },
  'quotas.get': {},
  'quotas.update': { body: () => ({ hard_cap_enabled: true }) },
  'run.create': {
    names: { 'body.corpus_id': 'corpus', 'header.x-run-id': 'run' },
    invents: { 'body.session_id': 'session' },
    body: () => ({ message: 'What is in the corpus?' }),
  },
  'run.events': { names: { 'path.id': 'run' } },
  'self-serve.createKey': { body: (unique) => ({ name: unique, role: 'reader' }) },
  'self-serve.inactiveKeys': {},
  'self-serve.listKeys': {},
  'self-serve.plan': {},
  'self-serve.revokeKey': { names: { 'path.key_id': 'key' } },
  'self-serve.usageSeries': {},
  'self-serve.usageSummary': {},
  'sessions.delete': { names: { 'path.id': 'session' } },
  'sessions.list': {},
  'sessions.messages': { names: { 'path.id': 'session' } },
  'usage.get': { query: { start: '2026-02-17' } },
  'webhook-deliveries.get': { names: { 'path.id': 'delivery' } },
  'webhook-deliveries.list': {},
  'webhook-deliveries.replay': { names: { 'path.id': 'delivery' } },
};

export interface Call {
  readonly method: 'get' | 'head' | 'post' | 'put' | 'patch' | 'delete';
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Readonly<Record<string, unknown>> | undefined;
  readonly file: string | undefined;
}

/** A receiver that nobody is: the test of the webhook is accepted, and says that nothing was sent. */
export const BILLING: Readonly<Record<string, string>> = {
  BILLING_WEBHOOK_ENABLED: 'true',
  BILLING_WEBHOOK_URL: 'http://nobody.invalid/hooks',
  BILLING_WEBHOOK_SECRET: 'a secret of the contract tests',
  BILLING_WEBHOOK_MAX_ATTEMPTS: '1',
};

let calls = 0;

/**
 * A valid request of the operation.
 *
 * @param named the resources it names.
 * @param replaced identifiers to send in some places instead.
 */
export function callOf(route: Route, named: Ids, replaced: Readonly<Record<string, string>> = {}): Call {
  const { names = {}, invents = {}, path = {}, query = {}, body, file } = exampleOf(route);
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
  const inPath: Record<string, string> = { tenant: named.tenant, ...path, ...at('path') };
  return {
    method: route.method.toLowerCase() as Call['method'],
    path: route.path.replaceAll(/:(\w+)/g, (_, name: string) => inPath[name] ?? ''),
    query: { ...query, ...at('query') },
    headers: at('header'),
    body: body === undefined ? undefined : { ...body(unique), ...at('body') },
    file,
  };
}

export function exampleOf({ operation }: Route): Example {
  const example = EXAMPLES[operation.id];
  if (example === undefined) throw new Error(`${operation.id} has no example in test/contract/examples.ts.`);
  return example;
}

export function send(app: TestApp, { method, path, query, headers, body, file }: Call, token?: string): Test {
  const test = supertest(app.url)[method](path).query(query).set(headers);
  if (token !== undefined) test.set('Authorization', `Bearer ${token}`);
  if (file !== undefined) {
    for (const [name, value] of Object.entries(body ?? {})) test.field(name, String(value));
    return test.attach('file', Buffer.from(file), { filename: 'file.txt', contentType: 'text/plain' });
  }
  return body === undefined ? test : test.send(body);
}

/**
 * An override of a feature, a key, a corpus with an ingested document that everybody of the tenant may use, a corpus that is searched with a model of former times, and a session in which a
 * question was answered, and a dead webhook delivery. Nothing runs afterwards.
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
  await app.grant(admin.tenantId, document.document_id, 'reader', 'read');
  await app.grant(admin.tenantId, document.document_id, 'editor', 'owner');
  const session = { session_id: `${unique}-s`, corpus_id, message: 'When does the harbour open?' };
  const run = (await asker.post('/v1/run', session).expect(200)).get('X-Run-Id') ?? '';
  const staleCorpus = `${unique}-old`;
  await admin.post('/v1/corpora', { id: staleCorpus, name: staleCorpus }).expect(201);
  await app.rows(`INSERT INTO corpus_indexes (tenant_id, corpus_id, embedding_model) VALUES ($1, $2, 'former')`, [
    admin.tenantId,
    staleCorpus,
  ]);
  await app.rows(
    `INSERT INTO tenant_feature_overrides (tenant_id, feature_key, enabled) VALUES ($1, 'feature.high_quota_tier', true)
     ON CONFLICT DO NOTHING`,
    [admin.tenantId],
  );
  const { keyId: key, userId: user } = await app.actor('reader', admin.tenantId);
  const [event] = await app.rows<{ id: string }>(
    `SELECT max(id)::text AS id FROM audit_events WHERE tenant_id = $1 AND event_type = 'corpora.created'`,
    [admin.tenantId],
  );
  const delivery = `${unique}-w`;
  // To an endpoint that nobody has any more: sent again, it ends at once.
  await app.rows(
    `INSERT INTO webhook_deliveries (tenant_id, id, endpoint, event_type, body, job_id, state, finished_at)
     VALUES ($1, $2, 'former', 'x', '{}', 'j', 'dead', now())`,
    [admin.tenantId, delivery],
  );
  return {
    ...(await furnishAuthorization(admin, document.document_id)),
    tenant: admin.tenantId,
    user,
    key,
    corpus: corpus_id,
    staleCorpus,
    document: document.document_id,
    session: session.session_id,
    run,
    auditEvent: event?.id ?? '',
    actor: admin.keyId,
    request: corpus.get('X-Request-Id') ?? '',
    delivery,
  };
}

/** Policies that apply to nothing, one of them off, a template that does not either, and a permission for the document. */
async function furnishAuthorization(
  admin: Actor,
  document: string,
): Promise<Pick<Ids, 'policy' | 'idlePolicy' | 'permission' | 'template'>> {
  const policies = '/v1/admin/authz/policies';
  const create = async (path: string, body: object): Promise<string> =>
    ((await admin.post(path, body).expect(201)).body as { data: { id: string } }).data.id;
  return {
    policy: await create(policies, { ...POLICY, name: 'On' }),
    idlePolicy: await create(policies, { ...POLICY, name: 'Off', enabled: false }),
    template: await create('/v1/admin/authz/templates', { ...POLICY, name: 'All' }),
    permission: await create(`/v1/admin/authz/documents/${document}/permissions`, {
      principal_type: 'role',
      principal_id: 'admin',
      permission: 'read',
    }),
  };
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
  tenant: 'no-such-tenant',
  key: '0'.repeat(32),
  corpus: 'no-such-corpus',
  staleCorpus: 'no-such-corpus',
  document: 'no-such-document',
  session: 'no-such-session',
  run: '00000000-0000-7000-8000-000000000000',
  auditEvent: '999999999999',
  actor: 'no-such-key',
  request: 'no-such-request',
  delivery: 'no-such-delivery',
  user: 'no-such-user',
  policy: '0'.repeat(32),
  idlePolicy: '0'.repeat(32),
  permission: 'no-such-permission',
  template: '0'.repeat(32),
};
