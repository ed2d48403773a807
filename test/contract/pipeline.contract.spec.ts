import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import supertest from 'supertest';
import { ApiKeys, AuthenticationWatch } from '../../src/features/auth/index.js';
import { RunSlots } from '../../src/features/run/application/run-slots.js';
import { TestApp, type Actor } from '../harness/app.js';
import { furnish } from './examples.js';
import { mentioning } from './sources.js';

interface Credential {
  role: 'editor' | 'reader';
  revoked: boolean;
  /** Whether its tenant is pinned to another region. */
  misrouted: boolean;
  /** Whether it is at its rate limit. */
  drained: boolean;
  /** Whether it comes from an address that had too many credentials refused, and was never accepted before. */
  suspect: boolean;
  plan: 'enterprise' | 'free';
  /** Whether a migration keeps the tenant from being written. */
  frozen: boolean;
  /** Whether the tenant has used up its quota. */
  spent: boolean;
}

/** A change of a corpus, before the stages get to see it. */
interface Attempt {
  method: 'patch' | 'put';
  path: string;
  ifMatch: string;
  key: string | undefined;
  credential: Credential;
  address: string;
  body: Record<string, unknown>;
}

interface Violation {
  readonly stage: string;
  readonly answer: readonly [status: number, code: string, message?: string];
  readonly violate: (attempt: Attempt) => void;
  /** A stage whose violation leaves nothing for this one to look at. */
  readonly excludes?: string;
}

/** Its provider is switched off for the tenant. */
const FORBIDDEN_CONFIG = { retrieval: { provider: 'gcp_vertex', project: 'p', location: 'eu', resource_id: 'r' } };

/** In the order of the stages: of two violations in one request, the upper one is answered. */
const VIOLATIONS: readonly Violation[] = [
  {
    stage: 'retired alias',
    answer: [410, 'GONE'],
    violate: (attempt) => (attempt.path = attempt.path.replace('/v1', '')),
  },
  {
    stage: 'path',
    answer: [404, 'NOT_FOUND', 'No such path.'],
    violate: (attempt) => (attempt.path += '/nowhere'),
  },
  {
    stage: 'method',
    answer: [405, 'METHOD_NOT_ALLOWED'],
    violate: (attempt) => (attempt.method = 'put'),
    excludes: 'path',
  },
  {
    stage: 'declared size',
    answer: [413, 'PAYLOAD_TOO_LARGE'],
    violate: ({ body }) => (body['name'] = 'x'.repeat(2000)),
  },
  {
    stage: 'throttle',
    answer: [429, 'RATE_LIMITED', expect.stringContaining('from this address') as unknown as string],
    violate: (attempt) => {
      attempt.credential.suspect = true;
      attempt.address = GUESSER;
    },
  },
  {
    stage: 'authentication',
    answer: [401, 'AUTH_REVOKED_KEY'],
    violate: ({ credential }) => (credential.revoked = true),
  },
  {
    stage: 'residency',
    answer: [403, 'residency.mismatch', expect.stringContaining("pinned to region 'elsewhere'") as unknown as string],
    violate: ({ credential }) => (credential.misrouted = true),
  },
  {
    stage: 'rate limit',
    answer: [429, 'RATE_LIMITED', expect.stringContaining('Rate limit exceeded') as unknown as string],
    violate: ({ credential }) => (credential.drained = true),
  },
  {
    stage: 'frozen',
    answer: [503, 'WRITE_FROZEN'],
    violate: ({ credential }) => (credential.frozen = true),
  },
  {
    stage: 'role',
    answer: [403, 'AUTH_FORBIDDEN'],
    violate: ({ credential }) => (credential.role = 'reader'),
  },
  {
    stage: 'tenant in the body',
    answer: [400, 'TENANT_ID_NOT_ALLOWED'],
    violate: ({ body }) => (body['tenant_id'] = 'x'),
  },
  {
    stage: 'validation',
    answer: [422, 'REQUEST_VALIDATION_ERROR'],
    violate: ({ body }) => (body['colour'] = 'red'),
  },
  {
    stage: 'plan',
    answer: [403, 'FEATURE_NOT_ENABLED'],
    violate: ({ credential }) => (credential.plan = 'free'),
  },
  {
    stage: 'idempotency',
    answer: [400, 'IDEMPOTENCY_KEY_INVALID'],
    violate: (attempt) => (attempt.key = '  '),
  },
  {
    stage: 'quota',
    answer: [402, 'QUOTA_EXCEEDED'],
    violate: ({ credential }) => (credential.spent = true),
  },
  {
    stage: 'rules of the operation',
    answer: [422, 'VALIDATION_ERROR'],
    violate: ({ body }) => (body['provider_config_json'] = { retrieval: { provider: 'nope' } }),
  },
  {
    stage: 'resource',
    answer: [404, 'NOT_FOUND', 'No such corpus.'],
    violate: (attempt) => (attempt.path = attempt.path.replace(/corpora\/[\w-]+/, 'corpora/missing')),
  },
  {
    stage: 'state',
    answer: [412, 'PRECONDITION_FAILED'],
    violate: (attempt) => (attempt.ifMatch = '"99"'),
  },
  {
    stage: 'entitlements',
    answer: [403, 'FEATURE_NOT_ENABLED'],
    violate: ({ body }) => (body['provider_config_json'] = FORBIDDEN_CONFIG),
    excludes: 'rules of the operation',
  },
];

const PAIRS = VIOLATIONS.flatMap((earlier, index) =>
  VIOLATIONS.slice(index + 1)
    .filter((later) => later.excludes !== earlier.stage)
    .map((later) => ({ earlier, later })),
);

let app: TestApp;
let admin: Actor;
let corpusId: string;
const tokens = new Map<string, string>();

const GUESSER = '203.0.113.9';
const BURST = 100_000;
/** So much that only a key that is drained has too little, and so slow that it stays drained. */
const LIMITS = {
  RATE_LIMIT_ENABLED: 'true',
  RL_KEY_MUTATION_RPS: '0.01',
  RL_KEY_MUTATION_BURST: String(BURST),
  RL_TENANT_MUTATION_BURST: String(BURST),
  RL_KEY_RUN_BURST: '100',
  PREAUTH_IP_RPS: '0.01',
  PREAUTH_IP_BURST: '1000',
  TRUST_PROXY_HOPS: '1',
};

beforeAll(async () => {
  app = await TestApp.start({
    HTTP_MAX_JSON_BYTES: '1024',
    LEGACY_ROUTES_ENABLED: 'false',
    STATEWAVE_REGION: 'here',
    ...LIMITS,
  });
  admin = await app.actor('admin');
  corpusId = (await furnish(app, admin)).corpus;
  const withoutVertex = { feature_key: 'feature.retrieval.gcp_vertex', enabled: false };
  await admin.patch(`/v1/admin/plans/${admin.tenantId}/overrides`, withoutVertex).expect(200);
  // No operation with a body, a resource and a state names a feature so far.
  const update = app.app.manifest.routes.find(({ operation }) => operation.id === 'corpora.update');
  Object.assign(update!.operation, { feature: 'feature.ops_admin_access' });
  const watch = app.app.nest.get(AuthenticationWatch);
  for (let refusals = 0; refusals < 1000; refusals += 1) watch.refused(GUESSER, undefined);
});
afterAll(() => app.close());

/** One token for each kind of credential, made when it is first needed. */
async function tokenOf(credential: Credential): Promise<string> {
  const kind = JSON.stringify(credential);
  const known = tokens.get(kind);
  if (known !== undefined) return known;
  const tenantId = await tenantOf(credential);
  const { keyId, token } = await app.actor(credential.role, tenantId);
  if (credential.revoked) await app.as(tenantId, () => app.app.nest.get(ApiKeys).revoke(keyId));
  if (credential.drained) {
    const bucket = { id: `key:${keyId}:mutation`, rate: 0.01, burst: BURST };
    await app.infrastructure.gate.pass(tenantId, BURST, [bucket], []);
  }
  tokens.set(kind, token);
  return token;
}

/** Only the tenant of a sound request has the corpus. */
async function tenantOf({ misrouted, plan, frozen, spent }: Credential): Promise<string> {
  if (plan === 'enterprise' && !spent && !frozen && !misrouted) return admin.tenantId;
  const other = await app.actor('admin', await app.tenant(plan));
  if (spent)
    await app.rows(`INSERT INTO plan_limits (tenant_id, daily_requests_limit) VALUES ($1, 0)`, [other.tenantId]);
  if (frozen) {
    await app.rows(`INSERT INTO tenant_freezes (tenant_id, migration_id, frozen_at) VALUES ($1, 'm', now())`, [
      other.tenantId,
    ]);
  }
  const pin = `INSERT INTO tenant_configs (tenant_id, config) VALUES ($1, '{"region":"elsewhere"}')`;
  if (misrouted) await app.rows(pin, [other.tenantId]);
  return other.tenantId;
}

const SOUND: Credential = {
  role: 'editor',
  revoked: false,
  misrouted: false,
  drained: false,
  suspect: false,
  plan: 'enterprise',
  frozen: false,
  spent: false,
};

async function answerTo(violations: readonly Violation[]): Promise<unknown[]> {
  const attempt: Attempt = {
    method: 'patch',
    path: `/v1/corpora/${corpusId}`,
    ifMatch: '*',
    key: undefined,
    credential: { ...SOUND },
    address: '198.51.100.7',
    body: {},
  };
  for (const { violate } of violations) violate(attempt);
  const response = await supertest(app.url)
    [attempt.method](attempt.path)
    .set('Authorization', `Bearer ${await tokenOf(attempt.credential)}`)
    .set('X-Forwarded-For', attempt.address)
    .set({ 'If-Match': attempt.ifMatch, ...(attempt.key === undefined ? {} : { 'Idempotency-Key': attempt.key }) })
    .send(attempt.body);
  const { error, detail } = response.body as Record<'error' | 'detail', { code: string; message: string } | undefined>;
  return [response.status, error?.code ?? detail?.code, error?.message ?? detail?.message];
}

function expected({ answer: [status, code, message] }: Violation): unknown[] {
  return [status, code, message ?? expect.any(String)];
}

describe('the stages of a request', () => {
  it('let a sound request pass', async () => {
    expect(await answerTo([])).toEqual([200, undefined, undefined]);
  });

  it.each(VIOLATIONS)('$stage: answers $answer', async (violation) => {
    expect(await answerTo([violation])).toEqual(expected(violation));
  });

  // A later stage that comes first costs what the earlier one protects: quota, a role check, the existence of a row.
  it.each(PAIRS)('$earlier.stage comes before $later.stage', async ({ earlier, later }) => {
    expect(await answerTo([earlier, later])).toEqual(expected(earlier));
    expect(await answerTo([later, earlier])).toEqual(expected(earlier));
  });

  it('are all passed until one refuses, and the log says which', async () => {
    const stages = (violation: Violation): Promise<unknown> =>
      answerTo([violation]).then(() => app.logs.filter(({ msg }) => msg === 'request').at(-1)?.['stages']);
    const stage = (name: string): Violation => VIOLATIONS.find((violation) => violation.stage === name)!;
    expect(await stages(stage('path'))).toEqual(['context']);
    expect(await stages(stage('declared size'))).toEqual(['context', 'route']);
    const passed = ['context', 'route', 'throttle'];
    expect(await stages(stage('throttle'))).toEqual(passed);
    expect(await stages(stage('authentication'))).toEqual([...passed, 'authentication']);
    expect(await stages(stage('residency'))).toEqual([...passed, 'authentication', 'residency']);
    passed.push('authentication', 'residency', 'rate limit');
    expect(await stages(stage('rate limit'))).toEqual(passed);
    passed.push('write gate');
    expect(await stages(stage('frozen'))).toEqual(passed);
    expect(await stages(stage('role'))).toEqual([...passed, 'role']);
    passed.push('role', 'validation');
    expect(await stages(stage('validation'))).toEqual(passed);
    expect(await stages(stage('plan'))).toEqual([...passed, 'plan']);
    expect(await stages(stage('idempotency'))).toEqual([...passed, 'plan', 'idempotency']);
    expect(await stages(stage('quota'))).toEqual([...passed, 'plan', 'idempotency', 'quota']);
  });
});

describe('the slots for answers', () => {
  const taken: (() => void)[] = [];
  beforeAll(() => {
    const slots = app.app.nest.get(RunSlots, { strict: false });
    while (slots.free > 0) taken.push(slots.acquire(`tenant-${taken.length}`));
  });
  afterAll(() => taken.forEach((release) => release()));

  it.each([
    ['after validation', { top_k: 0 }, 422],
    ['before the corpus is looked up', {}, 503],
  ])('are looked at %s', async (_name, fields, status) => {
    const body = { session_id: 's', corpus_id: 'missing', message: 'Hello?', ...fields };
    expect((await admin.post('/v1/run', body)).status).toBe(status);
  });
});

describe('the pipeline', () => {
  // A guard or a middleware that is registered elsewhere runs at a place that nobody reads about.
  it('is put together in one file', () => {
    const registration =
      /APP_(GUARD|INTERCEPTOR|FILTER|PIPE)|useGlobal\w+|\bapp\.use\(|\bconsumer\.apply\(|@Use(Guards|Interceptors|Pipes|Filters)\(/;
    expect(mentioning(registration)).toEqual(['src/app/pipeline.ts']);
  });
});
