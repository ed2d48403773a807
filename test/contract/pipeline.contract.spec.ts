import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import supertest from 'supertest';
import { ApiKeys } from '../../src/features/auth/index.js';
import { RunSlots } from '../../src/features/run/application/run-slots.js';
import { TestApp, type Actor } from '../harness/app.js';
import { furnish } from './examples.js';
import { mentioning } from './sources.js';

/** A change of a corpus, before the stages get to see it. */
interface Attempt {
  method: 'patch' | 'put';
  path: string;
  ifMatch: string;
  credential: { role: 'editor' | 'reader'; revoked: boolean };
  body: Record<string, unknown>;
}

interface Violation {
  readonly stage: string;
  readonly answer: readonly [status: number, code: string, message?: string];
  readonly violate: (attempt: Attempt) => void;
  /** A stage whose violation leaves nothing for this one to look at. */
  readonly excludes?: string;
}

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
    stage: 'authentication',
    answer: [401, 'AUTH_REVOKED_KEY'],
    violate: ({ credential }) => (credential.revoked = true),
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

beforeAll(async () => {
  app = await TestApp.start({ HTTP_MAX_JSON_BYTES: '1024', LEGACY_ROUTES_ENABLED: 'false' });
  admin = await app.actor('admin');
  corpusId = (await furnish(app, admin)).corpus;
  for (const role of ['reader', 'editor'] as const) {
    tokens.set(role, (await app.actor(role, admin.tenantId)).token);
    const revoked = await app.actor(role, admin.tenantId);
    await app.as(admin.tenantId, () => app.app.nest.get(ApiKeys).revoke(revoked.keyId));
    tokens.set(`revoked ${role}`, revoked.token);
  }
});
afterAll(() => app.close());

async function answerTo(violations: readonly Violation[]): Promise<unknown[]> {
  const attempt: Attempt = {
    method: 'patch',
    path: `/v1/corpora/${corpusId}`,
    ifMatch: '*',
    credential: { role: 'editor', revoked: false },
    body: {},
  };
  for (const { violate } of violations) violate(attempt);
  const { role, revoked } = attempt.credential;
  const response = await supertest(app.url)
    [attempt.method](attempt.path)
    .set('Authorization', `Bearer ${tokens.get(revoked ? `revoked ${role}` : role)}`)
    .set('If-Match', attempt.ifMatch)
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
    expect(await stages(stage('authentication'))).toEqual(['context', 'route', 'authentication']);
    expect(await stages(stage('role'))).toEqual(['context', 'route', 'authentication', 'role']);
    expect(await stages(stage('validation'))).toEqual(['context', 'route', 'authentication', 'role', 'validation']);
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
