import { TenantPins } from '../../src/features/tenant-moves/application/tenant-pins.js';
import { RegionKeys } from '../../src/features/tenant-moves/index.js';
import { sha256Hex } from '../../src/kernel/hash.js';
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import supertest, { type Test } from 'supertest';
import { isUuid } from '../../src/kernel/ids.js';
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
  | 'receipt'
  | 'auditEvent'
  | 'actor'
  | 'request'
  | 'delivery'
  | 'user'
  | 'policy'
  | 'idlePolicy'
  | 'permission'
  | 'template'
  | 'bundle'
  | 'provider'
  | 'providerKey'
  | 'rotatingKey'
  | 'rotation'
  | 'binding'
  | 'vectorDb'
  | 'emptyVectorDb'
  | 'vectorDbPolicy'
  | 'attachment'
  | 'incident'
  | 'dbBinding'
  | 'movingTenant'
  | 'export'
  | 'import'
  | 'migration'
  | 'purge';

/**
 * Identifiers that name nothing of a tenant: of the catalogue, which all share, of a place in a stream, of a setting, of what
 * nobody looks up.
 */
export const COMMON_IDS = [
  'body.plan_id',
  'body.receipt_signing_key_id',
  'header.last-event-id',
  'body.binding_target_id',
  // No identifier, in spite of its name.
  'body.preserve_ids',
  'query.preserve_ids',
];

/** Inputs without which another one is not looked at. */
export const BESIDE: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'header.x-run-id': { 'header.last-event-id': '0' },
};

/** Belong to no tenant, or to any: operators, as every admin is in these tests, find them whoever made them. */
export const OWNERLESS: readonly Resource[] = ['template', 'movingTenant'];

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
  readonly body?: (unique: string, named: Ids) => Readonly<Record<string, unknown>>;
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

const OF_RECEIPTS = {
  'query.subject_id': 'session',
  'query.session_id': 'session',
  'query.corpus_id': 'corpus',
  'query.document_id': 'document',
  'query.caller_id': 'actor',
} as const;

const QUESTION = { resource_type: 'document', action: 'read' };
const KEY = { 'path.provider_id': 'provider', 'path.key_id': 'providerKey' } as const;
const ROTATION = { ...KEY, 'path.key_id': 'rotatingKey', 'path.rotation_id': 'rotation' } as const;
const DIGEST = Buffer.alloc(32).toString('base64');
const JWKS = { keys: [generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' })] };
const ATTESTED = { attestation_digest: DIGEST, attestation_signature: DIGEST };
/** Applies to nothing. */
const POLICY = { effect: 'deny', resource_type: 'document', action: 'read', condition_json: { any: [] } };

/** By operation. A contract test demands one for every route, and that each is accepted. */
export const EXAMPLES: Readonly<Record<string, Example>> = {
  'admin-receipts.get': { names: { 'path.id': 'receipt' } },
  'admin-receipts.list': { names: { ...OF_RECEIPTS, 'query.tenant_id': 'tenant' } },
  'admin-receipts.replay': { names: { 'path.id': 'receipt' } },
  'admin-receipts.verify': { names: { 'path.id': 'receipt' } },
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
  'corpora.delete': {
    names: { 'path.id': 'corpus' },
    query: { cascade: 'true' },
    writes: ['corpora.deleted', 'documents.deleted'],
  },
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
  'key-bindings.create': {
    names: KEY,
    body: () => ({ binding_type: 'corpus', binding_target_id: randomUUID() }),
  },
  'key-bindings.list': { names: KEY },
  'key-bindings.revoke': { names: { ...KEY, 'path.binding_id': 'binding' }, body: () => ({}) },
  'key-rotations.approve': { names: ROTATION, body: () => ({}) },
  'key-rotations.reject': { names: ROTATION, body: () => ({ failure_reason: 'Wrong key.' }) },
  'key-rotations.request': { names: KEY, body: () => ({ ...ATTESTED, request_actor_ref: 'me' }) },
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
  'policy-bundles.activate': { names: { 'body.tenant_id': 'tenant', 'body.bundle_hash': 'bundle' }, body: () => ({}) },
  'policy-bundles.active': { names: { 'query.tenant_id': 'tenant' } },
  'policy-bundles.get': { names: { 'path.bundle_hash': 'bundle', 'query.tenant_id': 'tenant' } },
  'policy-bundles.list': { names: { 'query.tenant_id': 'tenant' } },
  'policy-bundles.reload': {},
  'policy-bundles.upload': {
    names: { 'body.tenant_id': 'tenant' },
    body: (unique) => ({ yaml_content: bundleYaml(unique) }),
    writes: ['policy_bundle.uploaded'],
  },
  'policy-templates.create': { body: (unique) => ({ ...POLICY, name: unique }) },
  'policy-templates.delete': { names: { 'path.template_id': 'template' } },
  'policy-templates.get': { names: { 'path.template_id': 'template' } },
  'policy-templates.list': {},
  'policy-templates.update': { names: { 'path.template_id': 'template' }, body: (unique) => ({ name: unique }) },
  'provider-keys.audit': { names: { 'path.provider_id': 'provider', 'query.key_id': 'providerKey' } },
  'provider-keys.get': { names: KEY },
  'provider-keys.list': { names: { 'path.provider_id': 'provider' } },
  'provider-keys.register': { invents: { 'path.provider_id': 'provider' }, body: () => ATTESTED },
  'provider-keys.revoke': { names: KEY, body: () => ({}) },
  'provider-keys.stream': { names: { 'path.provider_id': 'provider' }, query: { follow: 'false' } },
  'provider-tiers.delete': { path: { tier: 'plan:pro' } },
  'provider-tiers.get': { path: { tier: 'plan:pro' } },
  'provider-tiers.put': { names: { 'body.provider_id': 'provider' }, path: { tier: 'plan:free' }, body: () => ({}) },
  'providers.create': { body: (unique) => ({ name: unique }) },
  'providers.list': {},
  'providers.update': {
    names: { 'path.provider_id': 'provider' },
    body: () => ({ attestation_jwks: JWKS }),
    writes: ['provider.updated'],
  },
  'quotas.get': {},
  'quotas.update': { body: () => ({ hard_cap_enabled: true }) },
  'residency.status': {},
  'receipt-keys.get': {},
  'receipts.get': { names: { 'path.id': 'receipt' } },
  'receipts.list': { names: OF_RECEIPTS },
  'receipts.replay': { names: { 'path.id': 'receipt' } },
  'receipts.verify': { names: { 'path.id': 'receipt' } },
  'run.create': {
    names: { 'body.corpus_id': 'corpus', 'header.x-run-id': 'run', 'body.parent_receipt_id': 'receipt' },
    invents: { 'body.session_id': 'session', 'body.query_id': 'request', 'body.task_id': 'request' },
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
  'tenant-config.get': {},
  'tenant-config.update': { body: () => ({ receipts: 'always' }), writes: ['tenant.config.updated'] },
  'tenant-exports.artifact': { names: { 'path.id': 'export' } },
  'tenant-exports.create': {
    names: { 'body.tenant_id': 'movingTenant' },
    body: () => ({ target_region: 'us' }),
  },
  'tenant-exports.get': { names: { 'path.id': 'export' } },
  'tenant-imports.create': { body: (_unique, named) => ({ artifact_uri: `/v1/admin/imports/${named.import}` }) },
  'tenant-imports.get': { names: { 'path.id': 'import' } },
  'tenant-migrations.abort': { names: { 'path.id': 'migration' }, writes: ['residency.migration.aborted'] },
  'tenant-migrations.advance': {
    names: { 'path.id': 'migration' },
    body: () => ({}),
    writes: ['residency.export', 'residency.migration.exporting'],
  },
  'tenant-migrations.create': {
    names: { 'body.tenant_id': 'movingTenant' },
    body: () => ({ target_region: 'us' }),
  },
  'tenant-migrations.get': { names: { 'path.id': 'migration' } },
  'tenant-purges.create': {
    body: (_unique, named) => ({
      purge_token: tokenOf(named.purge),
      confirm: true,
      expected_count: 0,
      reason: 'moved',
    }),
  },
  'tenant-purges.get': { names: { 'path.id': 'purge' } },
  'tenant-purges.preview': { names: { 'body.tenant_id': 'movingTenant' }, body: () => ({}) },
  'usage.get': { query: { start: '2026-02-17' } },
  'vector-db-attachments.create': {
    names: {
      'path.id': 'vectorDb',
      'body.residency_policy_id': 'vectorDbPolicy',
      'body.provider_key_binding_id': 'dbBinding',
    },
    body: () => ({ attachment_type: 'semantic', attachment_ref: '0198c0de-0000-7000-8000-000000000000' }),
  },
  'vector-db-attachments.detach': {
    names: { 'path.id': 'vectorDb', 'path.attachment_id': 'attachment' },
    body: () => ({}),
  },
  'vector-db-attachments.list': { names: { 'path.id': 'vectorDb' } },
  'vector-db-incidents.list': { names: { 'path.id': 'vectorDb' } },
  'vector-db-incidents.log': {
    names: { 'path.id': 'vectorDb', 'body.attachment_id': 'attachment' },
    body: () => ({ incident_type: 'residency_breach' }),
  },
  'vector-db-incidents.resolve': {
    names: { 'path.id': 'vectorDb', 'path.incident_id': 'incident' },
    body: () => ({}),
  },
  'vector-db-policies.list': { names: { 'path.id': 'vectorDb' } },
  'vector-db-policies.upsert': { names: { 'path.id': 'vectorDb' }, body: () => ({ region: 'eu' }) },
  'vector-dbs.create': { body: (unique) => ({ name: unique }) },
  'vector-dbs.delete': { names: { 'path.id': 'emptyVectorDb' }, writes: ['vector_db.deleted'] },
  'vector-dbs.get': { names: { 'path.id': 'vectorDb' } },
  'vector-dbs.governance': { names: { 'path.id': 'vectorDb' } },
  'vector-dbs.list': {},
  'webhook-deliveries.get': { names: { 'path.id': 'delivery' } },
  'webhook-deliveries.list': {},
  'webhook-deliveries.replay': { names: { 'path.id': 'delivery' } },
};

/** Denies nothing. */
function bundleYaml(unique: string): string {
  return JSON.stringify({ version: 1, metadata: { name: unique }, rules: [] });
}

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

/** Keys of a region that exchanges tenants with itself. */
const REGION_SECRET = 'a'.repeat(43) + '=';
export const MOVES: Readonly<Record<string, string>> = {
  RESIDENCY_PRIVATE_KEY: REGION_SECRET,
  RESIDENCY_PEER_PUBLIC_KEYS_JSON: JSON.stringify({ us: new RegionKeys(REGION_SECRET).publicText }),
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
    ...Object.fromEntries(Object.entries(invents).map(([place, of]) => [place, invented(of, unique)])),
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
    body: body === undefined ? undefined : { ...body(unique, named), ...asSent(at('body')) },
    file,
  };
}

/** Identifiers that are numbers in a body. */
const NUMBERS = ['residency_policy_id'];

function asSent(ids: Readonly<Record<string, string>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(ids).map(([name, id]) => [name, NUMBERS.includes(name) ? Number(id) : id]));
}

/** An identifier that nobody has yet. */
export function invented(of: Resource, unique: string): string {
  return isUuid(MISSING[of]) ? randomUUID() : unique;
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
  const answer = await asker.post('/v1/run', session).expect(200);
  const run = answer.get('X-Run-Id') ?? '';
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
    bundle: await uploadBundle(admin, unique),
    ...(await furnishGovernance(app, asker)),
    ...(await furnishMoves(app, admin, unique)),
    ...(await furnishKeys(app, admin.tenantId)),
    tenant: admin.tenantId,
    user,
    key,
    corpus: corpus_id,
    staleCorpus,
    document: document.document_id,
    session: session.session_id,
    run,
    receipt: answer.get('X-Receipt-Id') ?? '',
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

/** @returns the hash of a bundle that no other tenant has. */
async function uploadBundle(admin: Actor, unique: string): Promise<string> {
  const body = { tenant_id: admin.tenantId, yaml_content: bundleYaml(unique) };
  const response = await admin.post('/v1/admin/policy/bundles', body).expect(200);
  return (response.body as { data: { bundle_hash: string } }).data.bundle_hash;
}

/** Two vector databases of the asker, one of them with two attachments, and two incidents of it. */
async function furnishGovernance(
  app: TestApp,
  { tenantId, userId }: Actor,
): Promise<Pick<Ids, 'vectorDb' | 'emptyVectorDb' | 'vectorDbPolicy' | 'attachment' | 'incident' | 'dbBinding'>> {
  const { ids } = app.infrastructure;
  const [provider, key, dbBinding] = [ids.uuid(), ids.uuid(), ids.uuid()];
  const one = async (sql: string, values: unknown[]): Promise<string> =>
    (await app.rows<{ id: string }>(`${sql} RETURNING id::text AS id`, [tenantId, ...values]))[0]?.id ?? '';
  const database = (): Promise<string> =>
    one(
      `INSERT INTO vector_dbs (tenant_id, uid, owner_id, name, db_type, status)
       VALUES ($1, $2, $3, 'governed', 'chroma', 'registered')`,
      [ids.opaque(), userId],
    );
  const [vectorDb, emptyVectorDb] = [await database(), await database()];
  const vectorDbPolicy = await one(
    `INSERT INTO vector_db_residency_policies (tenant_id, vector_db_id, region) VALUES ($1, $2, 'eu')`,
    [vectorDb],
  );
  await one(`INSERT INTO vector_db_residency_policies (tenant_id, vector_db_id, region) VALUES ($1, $2, 'us')`, [
    vectorDb,
  ]);
  await one(`INSERT INTO providers (tenant_id, id, name) VALUES ($1, $2::uuid, $2::uuid::text)`, [provider]);
  await one(
    `INSERT INTO provider_keys (tenant_id, id, provider_id, state, attestation_signature, attestation_verified_at)
     VALUES ($1, $2, $3, 'active', 'c2lnbmVk', now())`,
    [key, provider],
  );
  await one(
    `INSERT INTO provider_key_bindings (tenant_id, id, provider_key_id, binding_type, binding_target_id)
     VALUES ($1, $2, $3, 'vector_db', $4)`,
    [dbBinding, key, ids.uuid()],
  );
  const attach = (): Promise<string> =>
    one(
      `INSERT INTO vector_db_attachments (tenant_id, id, vector_db_id, attachment_type, attachment_ref,
         residency_policy_id, provider_key_binding_id, binding_names_db, attached_by)
       VALUES ($1, $2::uuid, $3, 'assistant', $2::uuid::text, $4, $5, false, 'test')`,
      [ids.uuid(), vectorDb, vectorDbPolicy, dbBinding],
    );
  const report = (): Promise<string> =>
    one(
      `INSERT INTO vector_db_incident_logs (tenant_id, id, vector_db_id, incident_type, automatic, opened_by)
       VALUES ($1, $2, $3, 'residency_breach', false, 'test')`,
      [ids.uuid(), vectorDb],
    );
  await attach();
  await report();
  return { vectorDb, emptyVectorDb, vectorDbPolicy, attachment: await attach(), incident: await report(), dbBinding };
}

/** A provider with two keys, each bound; the second waits for a rotation that somebody else asked for. */
async function furnishKeys(
  app: TestApp,
  tenantId: string,
): Promise<Pick<Ids, 'provider' | 'providerKey' | 'rotatingKey' | 'rotation' | 'binding'>> {
  const [provider, providerKey, rotatingKey, rotation, binding] = Array.from(
    { length: 5 },
    () => randomUUID() as string,
  );
  await app.rows(
    `WITH p AS (INSERT INTO providers (tenant_id, id, name) VALUES ($1, $2::uuid, $2::uuid::text) RETURNING tenant_id, id),
          k AS (INSERT INTO provider_keys (tenant_id, provider_id, id, state, attestation_signature)
                SELECT tenant_id, id, $3::uuid, 'active', 's' FROM p UNION ALL
                SELECT tenant_id, id, $4::uuid, 'rotating', 's' FROM p RETURNING tenant_id, provider_id, id),
          r AS (INSERT INTO provider_key_rotations (tenant_id, provider_key_id, id, requested_at, requested_by, status,
                  request_actor_ref, attestation_digest, attestation_signature, attestation_verified)
                SELECT tenant_id, id, $5::uuid, now(), 'x', 'pending_approval', 'x', 'd', 's', false FROM k WHERE id = $4::uuid),
          b AS (INSERT INTO provider_key_bindings (tenant_id, provider_key_id, id, binding_type, binding_target_id)
                SELECT tenant_id, id, CASE n WHEN 1 THEN $6::uuid ELSE gen_random_uuid() END, 'corpus', gen_random_uuid()
                  FROM k, generate_series(1, 2) n WHERE id = $3::uuid),
          e AS (INSERT INTO provider_key_audit_events (tenant_id, provider_id, provider_key_id, event_type, occurred_at)
                SELECT tenant_id, provider_id, id, 'registered', now() FROM k)
     INSERT INTO provider_tiers (tenant_id, tier, provider_id) SELECT tenant_id, 'plan:pro', id FROM p
       ON CONFLICT DO NOTHING`,
    [tenantId, provider, providerKey, rotatingKey, rotation, binding],
  );
  return { provider, providerKey, rotatingKey, rotation, binding } as Record<string, string> as Ids;
}

/** A tenant that is pinned elsewhere, of which there are moves that have ended, and one of which there are open ones. */
async function furnishMoves(
  app: TestApp,
  { tenantId }: Actor,
  unique: string,
): Promise<Pick<Ids, 'movingTenant' | 'export' | 'import' | 'migration' | 'purge'>> {
  const [movingTenant, busy] = [`${unique}-moving`, `${unique}-busy`];
  // A process of no region purges nobody, and in one of a region every request would wait for its pin besides.
  app.app.nest.get(TenantPins, { strict: false }).requireZone = () => 'eu';
  await app.rows(`INSERT INTO tenants (id, name) SELECT id, id FROM unnest($1::text[]) AS t (id)`, [
    [movingTenant, busy],
  ]);
  await app.rows(
    `INSERT INTO tenant_configs (tenant_id, config) SELECT id, '{"region":"us"}' FROM unnest($1::text[]) AS t (id)`,
    [[movingTenant, busy]],
  );
  const ids = { export: `${unique}-ex`, import: `${unique}-im`, migration: `${unique}-mi`, purge: `${unique}-pu` };
  const move = (
    id: string,
    kind: string,
    of: string,
    state: string,
    open: boolean,
    parameters: object,
  ): Promise<unknown> =>
    app.rows(
      `INSERT INTO residency_jobs (tenant_id, id, kind, moved_tenant_id, state, region, parameters, manifest, actor, finished_at)
       VALUES ($1, $2, $3, $4, $5, 'us', $6, '{}', 'somebody', CASE WHEN $7 THEN NULL ELSE now() END)`,
      [tenantId, id, kind, of, state, JSON.stringify(parameters), open],
    );
  await move(ids.export, 'export', movingTenant, 'succeeded', false, {});
  await app.infrastructure.blobs.put(`tenants/${movingTenant}/moves/${ids.export}/0`, Buffer.from('sealed'));
  await move(ids.import, 'import', movingTenant, 'succeeded', false, {});
  await move(ids.migration, 'migration', busy, 'planned', true, {
    export_id: `${unique}-e1`,
    delta_export_id: `${unique}-e2`,
  });
  const parameters = { token_sha256: sha256Hex(tokenOf(ids.purge)), expires_at: '9999-01-01T00:00:00.000Z' };
  await move(ids.purge, 'purge', busy, 'previewed', true, parameters);
  return { movingTenant, ...ids };
}

function tokenOf(purge: string): string {
  return `token of ${purge}`;
}

/** Resolves when every job of the tenant is done. */
export async function idle(app: TestApp, tenantId: string): Promise<void> {
  await eventually(async () => {
    const open = await app.rows(`SELECT id FROM outbox_jobs WHERE tenant_id = $1 AND state <> 'done'`, [tenantId]);
    if (open.length > 0) throw new Error('Jobs are still running.');
  });
}

const NO_UUID = '00000000-0000-4000-8000-000000000000';

/** Identifiers that nobody has. */
export const MISSING: Ids = {
  tenant: 'no-such-tenant',
  key: '0'.repeat(32),
  corpus: 'no-such-corpus',
  staleCorpus: 'no-such-corpus',
  document: 'no-such-document',
  session: 'no-such-session',
  movingTenant: 'no-such-tenant',
  export: 'no-such-export',
  import: 'no-such-import',
  migration: 'no-such-migration',
  purge: 'no-such-purge',
  run: '00000000-0000-7000-8000-000000000000',
  receipt: `01${'0'.repeat(24)}`,
  auditEvent: '999999999999',
  actor: 'no-such-key',
  request: 'no-such-request',
  delivery: 'no-such-delivery',
  user: 'no-such-user',
  policy: '0'.repeat(32),
  idlePolicy: '0'.repeat(32),
  permission: 'no-such-permission',
  template: '0'.repeat(32),
  bundle: '0'.repeat(64),
  vectorDb: '999999999',
  emptyVectorDb: '999999999',
  vectorDbPolicy: '999999999',
  attachment: '00000000-0000-7000-8000-000000000000',
  incident: '00000000-0000-7000-8000-000000000000',
  dbBinding: '00000000-0000-7000-8000-000000000000',
  provider: NO_UUID,
  providerKey: NO_UUID,
  rotatingKey: NO_UUID,
  rotation: NO_UUID,
  binding: NO_UUID,
};
