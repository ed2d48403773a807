import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Response } from 'supertest';
import { AUDIT_EVENTS } from '../../src/app/catalogue.js';
import { Tenants } from '../../src/features/tenants/index.js';
import type { Route } from '../../src/kernel/operation.js';
import { ROLES, roleAtLeast, type Role } from '../../src/kernel/principal.js';
import { apiVersionOf } from '../../src/platform/http/index.js';
import { TestApp, type Actor } from '../harness/app.js';
import { eventually } from '../harness/eventually.js';
import {
  BESIDE,
  BILLING,
  callOf,
  exampleOf,
  EXAMPLES,
  furnish,
  idle,
  invented,
  MISSING,
  MOVES,
  OWNERLESS,
  send,
  type Call,
  type Ids,
  type Resource,
} from './examples.js';
import { DESCRIBED, described, inputsOf } from './openapi.js';

interface Body {
  readonly data?: unknown;
  readonly error?: { readonly code: string };
  /** The error under an unversioned alias. */
  readonly detail?: { readonly code: string };
  readonly meta?: { readonly request_id: string; readonly page?: { readonly next_cursor: string | null } };
}

/** Every stage that has a place of execution, in the order of the specification. */
const STAGES = [
  'context',
  'route',
  'throttle',
  'authentication',
  'residency',
  'rate limit',
  'write gate',
  'role',
  'validation',
  'plan',
  'idempotency',
  'quota',
  'handler',
];

let app: TestApp;
let routes: ReadonlyMap<string, Route>;

beforeAll(async () => {
  // Receipts stay out of their chains, which are made in the background.
  app = await TestApp.start({ LOG_LEVEL: 'DEBUG', RECEIPT_CHAIN_LAG_S: '86400', ...BILLING, ...MOVES });
  routes = new Map(app.app.manifest.routes.map((route) => [route.operation.id, route]));
});
afterAll(() => app.close());

const all = Object.keys(EXAMPLES);
const guarded = all.filter((id) => !/^(health|receipt-keys)\./.test(id));
const withNames = all.flatMap((id) =>
  Object.entries(EXAMPLES[id]?.names ?? {}).map(([place, of]) => ({ id, place, of })),
);
const withInvented = all.flatMap((id) =>
  Object.entries(EXAMPLES[id]?.invents ?? {}).map(([place, of]) => ({ id, place, of })),
);

/** What operators, as every admin is here, find whoever's it is. */
const FOR_OPERATORS = /^admin-receipts\.|^policy-bundles\.\w+ \w+\.tenant_id$/;

/** References that are judged like the other fields of a body. */
const INVALID_WHEN_MISSING = ['body.parent_receipt_id'];

/** Reads that are continued, but for those whose first page cannot be made to end here. Each with the reason why. */
const ONE_PAGE: Readonly<Record<string, string>> = {
  'admin-receipts.list': 'lists nothing without a tenant; the same list as receipts.list',
  'audit.verify': 'continues after some ten thousand events',
  'policies.versions': 'a policy here has one version',
  'policy-templates.list': 'templates belong to no tenant',
  'self-serve.inactiveKeys': 'no key is old; the same list as api-keys.list',
};
/** What a provider has that nobody has is nothing, as of one that has nothing. */
const EMPTY_IF_MISSING = ['provider-keys.list', 'provider-keys.audit'];
const withCursor = [...DESCRIBED.values()]
  .filter((operation) => inputsOf(operation).includes('query.cursor'))
  .map(({ operationId }) => operationId)
  .filter((id) => !Object.hasOwn(ONE_PAGE, id));

function routeOf(id: string): Route {
  const route = routes.get(id);
  if (route === undefined) throw new Error(`${id} is no operation.`);
  return route;
}

/** Nothing of what the actor's own tenant could have. */
function missingIn({ tenantId }: Actor): Ids {
  return { ...MISSING, tenant: tenantId };
}

/** The lowest role that the operation accepts. */
function roleOf(id: string): Role {
  const { role } = routeOf(id).operation;
  return role === 'public' ? 'reader' : role;
}

const body = (response: Response): Body => response.body as Body;
const codeOf = (response: Response): string | undefined => (body(response).error ?? body(response).detail)?.code;

/** Every way to ask the same: as it is, under its aliases, and without the body of the answer. */
function waysOf(call: Call): Call[] {
  const aliases = ['', '/api'].map((prefix) => ({ ...call, path: call.path.replace('/v1', prefix) }));
  const exists = ({ path }: Call): boolean =>
    path.startsWith('/api/') ? apiVersionOf(path) === 'bare' : !path.startsWith('/ui/');
  const ways = [call, ...aliases.filter(exists)];
  return call.method === 'get' ? [...ways, { ...call, method: 'head' }] : ways;
}

/** Empty for an answer without a body. */
const textOf = ({ text }: { readonly text?: string }): string => text ?? '';

/** Everything that a client can see of an answer, but for what belongs to the single request. */
function visible(response: Response): unknown {
  const single = ['x-request-id', 'date', 'server-timing', 'etag', 'x-run-id', 'location'];
  const counts = /^x-quota-.*-(used|remaining)$/;
  const headers = Object.entries(response.headers as Record<string, string>).filter(
    ([name]) => !single.includes(name) && !counts.test(name),
  );
  return {
    status: response.status,
    headers: Object.fromEntries(headers),
    text: textOf(response).replaceAll(response.get('X-Request-Id') ?? '', '<request id>'),
  };
}

/** What asking leaves behind. */
const WRITTEN_BY_ASKING = ['audit.exported', 'vector_db.attachment.rejected'];
const TRACES = Object.keys(AUDIT_EVENTS).filter(
  (event) => AUDIT_EVENTS[event]?.delivery === 'access' || WRITTEN_BY_ASKING.includes(event),
);

/**
 * Every row of a tenant, but for what asking leaves behind, usage, the last use of a key, and the seals of events. And but
 * for the view of chunks, whose tenant is the one that the connection served last.
 */
async function rowsOf(tenantId: string): Promise<unknown> {
  const tables = await app.rows<{ name: string }>(
    `SELECT table_name AS name FROM information_schema.columns WHERE column_name = 'tenant_id'
        AND table_name NOT IN ('audit_seals', 'audit_anchors', 'searchable_chunks') AND table_name NOT LIKE 'usage%'
      ORDER BY table_name`,
  );
  const found: Record<string, unknown> = {};
  for (const { name } of tables) {
    found[name] = await app.rows(
      `SELECT to_jsonb(t) - 'last_used_at' AS row FROM ${name} t WHERE tenant_id = $1
          AND COALESCE(to_jsonb(t)->>'event_type', '') <> ALL ($2) ORDER BY 1`,
      [tenantId, TRACES],
    );
  }
  return found;
}

describe('a valid request of the lowest role that may send it', () => {
  it.each(all)('%s succeeds as declared, through every stage, and is audited as declared', async (id) => {
    const admin = await app.actor('admin');
    const sender = await app.actor(roleOf(id), admin.tenantId);
    const { operation } = routeOf(id);
    const response = await send(app, callOf(routeOf(id), await furnish(app, admin, sender)), sender.token);
    const requestId = response.get('X-Request-Id');
    const sent: unknown = operation.response === 'binary' ? response.body : response.text;
    expect([response.status, sent]).toEqual([operation.status, expect.anything()]);
    const shapes = {
      json: () => {
        expect(Object.keys(body(response)).sort()).toEqual(['data', 'meta']);
        expect(body(response).meta?.request_id).toBe(requestId);
      },
      bare: () => expect(body(response).meta).toBeUndefined(),
      stream: () => expect(response.get('Content-Type')).toMatch(/^text\/event-stream/),
      lines: () => expect(response.get('Content-Type')).toMatch(/^application\/x-ndjson/),
      binary: () => expect(response.get('Content-Type')).toMatch(/^application\/octet-stream/),
      empty: () => expect(response.text).toBe(''),
    };
    shapes[operation.response]();
    const stages = await eventually(() => stagesOf(response));
    expect(stages).toEqual(STAGES);
    const events = (await app.audit(admin.tenantId)).filter(
      (event) => event['request_id'] === requestId && event['actor_type'] === 'api_key',
    );
    // A job that the request asked for may have ended already.
    const written = events
      .map((event) => String(event['event_type']))
      .filter((event) => event !== 'auth.access.success' && !event.endsWith('.succeeded'));
    const { writes = operation.audit } = exampleOf(routeOf(id));
    expect(operation.audit).toEqual(expect.arrayContaining([...writes]));
    expect(written.sort()).toEqual([...writes].sort());
  });

  function stagesOf(response: Response): unknown {
    const line = app.logs.find(
      (entry) => entry['request_id'] === response.get('X-Request-Id') && entry['msg'] === 'request',
    );
    expect(line).toBeDefined();
    return line?.['stages'];
  }
});

describe('another tenant', () => {
  let owner: Actor;
  let stranger: Actor;
  let earlier: Ids;
  let theirs: Ids;
  let own: Ids;

  beforeAll(async () => {
    owner = await app.actor('admin');
    stranger = await app.actor('admin');
    earlier = await furnish(app, owner);
    theirs = await furnish(app, owner);
    own = await furnish(app, stranger);
  });

  // One difference, of a byte or in the rows, tells a customer what another one has.
  it.each(withNames.filter(({ id, place, of }) => !OWNERLESS.includes(of) && !FOR_OPERATORS.test(`${id} ${place}`)))(
    'learns and changes nothing through $place of $id',
    async ({ id, place, of }) => {
      const before = [await rowsOf(owner.tenantId), await rowsOf(stranger.tenantId)];
      const madeUp = Object.fromEntries(
        Object.entries(EXAMPLES[id]?.invents ?? {}).map(([at, what]) => [at, invented(what, `${id}-stranger`)]),
      );
      const naming = (name: string): Call[] =>
        waysOf(callOf(routeOf(id), own, { ...madeUp, ...BESIDE[place], [place]: name }));
      const foreigns = naming(theirs[of]);
      for (const [index, call] of naming(MISSING[of]).entries()) {
        const missing = await send(app, call, stranger.token);
        const foreign = await send(app, foreigns[index] ?? call, stranger.token);
        expect(visible(foreign)).toEqual(visible(missing));
        const code = call.method === 'head' ? undefined : expect.stringMatching(/NOT_FOUND$/);
        const refused = EMPTY_IF_MISSING.includes(id) ? [200, undefined] : [404, code];
        if (INVALID_WHEN_MISSING.includes(place)) expect(foreign.status).toBe(422);
        else if (/^(path|body)/.test(place)) expect([foreign.status, codeOf(foreign)]).toEqual(refused);
        // A number may be part of anything.
        if (!/^\d+$/.test(theirs[of])) expect(textOf(foreign)).not.toContain(theirs[of]);
      }
      expect([await rowsOf(owner.tenantId), await rowsOf(stranger.tenantId)]).toEqual(before);
    },
  );

  it.each(withCursor)('finds nothing with a cursor of its neighbour: %s', async (id) => {
    const page = await send(app, { ...callOf(routeOf(id), theirs), query: { limit: '1' } }, owner.token);
    const { data, meta } = body(page);
    const cursor = (data as { next_cursor?: string | null }).next_cursor ?? meta?.page?.next_cursor ?? 'none';
    expect(cursor).not.toBe('none');
    // One that never named what it does not have: its own audit trail would.
    const newcomer = await app.actor('admin');
    const call = callOf(routeOf(id), await furnish(app, newcomer));
    const response = await send(app, { ...call, query: { cursor } }, newcomer.token);
    expect(response.status).toBe(200);
    const names = [...Object.entries(theirs), ...Object.entries(earlier)].filter(
      ([of]) => !OWNERLESS.includes(of as Resource),
    );
    for (const [, name] of names) if (!/^\d+$/.test(name)) expect(response.text).not.toContain(name);
  });

  it('is refused alike in every path that names a tenant, whether there is one of that name or not', async () => {
    const before = await rowsOf(owner.tenantId);
    for (const route of routes.values()) {
      // Those that operators reach are not refused to an operator, as every admin is here.
      if (!route.path.includes('/:tenant') || route.operation.operatorReach !== undefined) continue;
      const missing = await send(app, callOf(route, { ...own, tenant: MISSING.tenant }), stranger.token);
      const foreign = await send(app, callOf(route, { ...own, tenant: owner.tenantId }), stranger.token);
      const answer = [route.operation.id, foreign.status, body(foreign).error?.code];
      expect(answer).toEqual([route.operation.id, 403, 'AUTH_FORBIDDEN']);
      expect(visible(foreign)).toEqual(visible(missing));
    }
    expect(await rowsOf(owner.tenantId)).toEqual(before);
  });

  it.each(withNames)('has what it names itself found through $place of $id', async ({ id, place }) => {
    const admin = await app.actor('admin');
    const response = await send(app, callOf(routeOf(id), await furnish(app, admin), BESIDE[place]), admin.token);
    expect(response.status).toBe(routeOf(id).operation.status);
    expect(textOf(response)).not.toContain('resume.unsupported');
  });

  it.each(withInvented)('may use an identifier of its neighbour as $place of $id', async ({ id, place, of }) => {
    const before = await rowsOf(owner.tenantId);
    const neighbour = await app.actor('admin');
    const named = await furnish(app, neighbour);
    const fresh = await send(app, callOf(routeOf(id), named), neighbour.token);
    const taken = await send(app, callOf(routeOf(id), named, { [place]: theirs[of] }), neighbour.token);
    expect(taken.status).toBe(fresh.status);
    expect(taken.status).toBe(routeOf(id).operation.status);
    await idle(app, neighbour.tenantId);
    expect(await rowsOf(owner.tenantId)).toEqual(before);
  });
});

describe('without a credential', () => {
  it.each(guarded)('401 for %s, also under its aliases', async (id) => {
    const call = callOf(routeOf(id), MISSING);
    const tokens = [undefined, 'nrgk_0123456789abcdef0123456789abcdef_x', 'x'];
    for (const token of tokens) {
      const response = await send(app, call, token);
      expect([response.status, body(response).error?.code, response.get('WWW-Authenticate')]).toEqual([
        401,
        'AUTH_UNAUTHORIZED',
        'Bearer',
      ]);
    }
    for (const way of waysOf(call)) expect((await send(app, way)).status).toBe(401);
  });
});

describe('with too small a role', () => {
  let actors: Record<Role, Actor>;
  beforeAll(async () => {
    const admin = await app.actor('admin');
    actors = {
      admin,
      editor: await app.actor('editor', admin.tenantId),
      reader: await app.actor('reader', admin.tenantId),
    };
  });

  // A body that was looked at first would tell its sender what the operation expects, and cost more than a refusal.
  it.each(guarded)('403 for %s, recorded, in every way to ask and before its body is looked at', async (id) => {
    const { operation } = routeOf(id);
    const refused: (string | undefined)[] = [];
    for (const role of ROLES) {
      for (const call of waysOf(callOf(routeOf(id), missingIn(actors[role])))) {
        const response = await malformed(call, actors[role]);
        const code = call.method === 'head' ? undefined : 'AUTH_FORBIDDEN';
        if (roleAtLeast(role, operation.role as Role)) {
          if (operation.body !== undefined) expect([role, response.status]).toEqual([role, 422]);
          else expect([role, response.status]).not.toEqual([role, 403]);
        } else {
          expect([role, response.status, codeOf(response)]).toEqual([role, 403, code]);
          refused.push(response.get('X-Request-Id'));
        }
      }
    }
    const events = await app.audit(actors.admin.tenantId);
    for (const requestId of refused) {
      const written = events.filter((event) => event['request_id'] === requestId);
      expect(written).toContainEqual(
        expect.objectContaining({
          event_type: 'rbac.forbidden',
          outcome: 'failure',
          error_code: 'AUTH_FORBIDDEN',
          metadata_json: expect.objectContaining({ required_role: operation.role }),
        }),
      );
    }
  });

  /** The request with a body that cannot be read, if it has one. */
  function malformed(call: Call, { token }: Actor): ReturnType<typeof send> {
    if (call.body === undefined) return send(app, call, token);
    const type = call.file === undefined ? 'application/json' : 'multipart/form-data; boundary=x';
    return send(app, { ...call, body: undefined, file: undefined }, token)
      .set('Content-Type', type)
      .send('{"');
  }
});

describe('without the authority that an operation demands', () => {
  // Whoever passes here changes the plan that somebody pays for, or the rows of every tenant.
  it('refuses every admin but those of operators, recorded, whatever the operation', async () => {
    const production = { PLATFORM_OPERATOR_TENANTS: 'operators', TENANT_ADMIN_CAN_ASSIGN_PLAN: 'false' };
    const strict = await TestApp.start({ ...production, ...BILLING, ...MOVES });
    try {
      await strict.as('operators', () => strict.app.nest.get(Tenants).ensure('operators'));
      const [customer, operator] = [await strict.actor('admin'), await strict.actor('admin', 'operators')];
      const demanding = [...routes.values()].filter(({ operation }) => operation.authority !== undefined);
      expect(demanding.length).toBeGreaterThan(0);
      for (const route of demanding) {
        const { id, authority } = route.operation;
        for (const call of waysOf(callOf(route, missingIn(customer)))) {
          const refusal = await send(strict, call, customer.token);
          const code = call.method === 'head' ? undefined : 'PLATFORM_OPERATOR_REQUIRED';
          expect([id, refusal.status, codeOf(refusal)]).toEqual([id, 403, code]);
          const written = (await strict.audit(customer.tenantId)).filter(
            (event) => event['request_id'] === refusal.get('X-Request-Id'),
          );
          expect(written).toContainEqual(
            expect.objectContaining({
              event_type: 'rbac.forbidden',
              error_code: 'PLATFORM_OPERATOR_REQUIRED',
              metadata_json: expect.objectContaining({ required_authority: authority }),
            }),
          );
        }
        const passed = await send(strict, callOf(route, missingIn(operator)), operator.token);
        expect([id, passed.status]).not.toEqual([id, 403]);
      }
    } finally {
      await strict.close();
    }
  });
});

describe('the body', () => {
  let admin: Actor;
  beforeEach(async () => {
    admin = await app.actor('admin');
  });
  const withBody = all.filter((id) => EXAMPLES[id]?.body !== undefined);

  it('is declared by exactly the operations whose example has one', () => {
    const declared = [...routes.values()].filter(({ operation }) => operation.body !== undefined);
    expect(declared.map(({ operation }) => operation.id).sort()).toEqual(withBody);
  });

  it.each(withBody)('may have no unknown field and no tenant: %s', async (id) => {
    const call = callOf(routeOf(id), missingIn(admin));
    const unknown = await send(app, { ...call, body: { ...call.body, colour: 'red' } }, admin.token);
    expect([unknown.status, unknown.text]).toEqual([422, expect.stringContaining('"colour"')]);
    if (routeOf(id).operation.onTenant === true) return;
    const tenant = await send(app, { ...call, body: { ...call.body, tenant_id: 'x', colour: 'red' } }, admin.token);
    expect([tenant.status, body(tenant).error?.code]).toEqual([400, 'TENANT_ID_NOT_ALLOWED']);
  });
});

describe('what is answered', () => {
  it.each(guarded)('is a documented status: %s', async (id) => {
    const admin = await app.actor('admin');
    const documented = Object.keys(DESCRIBED.get(described(routeOf(id)))?.responses ?? {});
    const seen = [
      await send(app, callOf(routeOf(id), MISSING)),
      await send(app, callOf(routeOf(id), MISSING), admin.token),
      await send(app, callOf(routeOf(id), await furnish(app, admin)), admin.token),
    ];
    expect(documented).toEqual(expect.arrayContaining(seen.map(({ status }) => String(status))));
  });
});
