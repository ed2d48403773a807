import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AuditSealing } from '../../../src/features/audit/index.js';
import { AuditWriter } from '../../../src/features/audit/application/audit-writer.js';
import { AuditEventsRepository } from '../../../src/features/audit/persistence/audit-events.repository.js';
import { runInContext, systemContext } from '../../../src/kernel/context.js';
import { TestApp, type Actor } from '../../harness/app.js';
import { until } from '../../harness/until.js';

interface Event {
  readonly id: number;
  readonly event_type: string;
  readonly occurred_at: string;
  readonly tenant_id: string;
  readonly request_id: string;
}

let app: TestApp;
let admin: Actor;

beforeAll(async () => {
  app = await TestApp.start();
  admin = await app.actor('admin');
});
afterAll(() => app.close());

const DAY = '2026-03-01';

interface Fields {
  readonly at?: string;
  readonly type?: string;
  readonly outcome?: string;
  readonly actor?: string;
  readonly resourceType?: string;
  readonly resourceId?: string;
  readonly request?: string;
  readonly code?: string;
}

/** An event as a feature would have written it at that time. */
async function event(owner: Actor, fields: Fields = {}): Promise<number> {
  const { at = `${DAY}T12:00:00Z`, type = 'documents.deleted', outcome = 'success' } = fields;
  const [written] = await app.rows<{ id: number }>(
    `INSERT INTO audit_events (occurred_at, tenant_id, actor_type, actor_id, event_type, outcome, resource_type,
                               resource_id, request_id, error_code, metadata_json)
     VALUES ($1, $2, 'api_key', $3, $4, $5, $6, $7, $8, $9, '{"n": 1}') RETURNING id::int`,
    [
      at,
      owner.tenantId,
      fields.actor,
      type,
      outcome,
      fields.resourceType,
      fields.resourceId,
      fields.request,
      fields.code,
    ],
  );
  return written?.id ?? 0;
}

async function listed(owner: Actor, query: Record<string, string | number> = {}): Promise<Event[]> {
  const response = await owner.get('/v1/audit/events').query(query).expect(200);
  return response.body.data.items as Event[];
}

/** Nothing that this test did not add: reading leaves events, too, but of today. */
const before = `${DAY}T23:59:59Z`;

describe('the list', () => {
  it('05 case 4: has pages of the own events, newest first', async () => {
    const [owner, stranger] = [await app.actor('admin'), await app.actor('admin')];
    for (const second of [1, 2, 3]) await event(owner, { at: `${DAY}T12:00:0${second}Z` });
    await event(stranger);
    const first = await owner.get(`/v1/audit/events?limit=2&to=${before}`).expect(200);
    expect(first.body.data).toMatchObject({ next_offset: 2, next_cursor: expect.any(String) });
    expect(first.body.data.items).toHaveLength(2);
    const second = await owner.get(`/v1/audit/events?limit=2&offset=2&to=${before}`).expect(200);
    expect(second.body.data).toMatchObject({ next_offset: null, next_cursor: null });
    const all = [...first.body.data.items, ...second.body.data.items] as Event[];
    expect(all.map(({ occurred_at }) => occurred_at)).toEqual(
      [3, 2, 1].map((second) => `${DAY}T12:00:0${second}.000000Z`),
    );
    expect(new Set(all.map(({ tenant_id }) => tenant_id))).toEqual(new Set([owner.tenantId]));
  });

  it('shows every column of an event', async () => {
    const id = await event(admin, {
      actor: 'k9',
      resourceType: 'document',
      resourceId: 'd9',
      request: 'r9',
      code: 'GONE',
    });
    const { body } = await admin.get(`/v1/audit/events/${id}`).expect(200);
    expect(body.data).toEqual({
      id,
      occurred_at: `${DAY}T12:00:00.000000Z`,
      tenant_id: admin.tenantId,
      actor_type: 'api_key',
      actor_id: 'k9',
      actor_role: null,
      subject_id: null,
      event_type: 'documents.deleted',
      outcome: 'success',
      resource_type: 'document',
      resource_id: 'd9',
      request_id: 'r9',
      ip_address: null,
      user_agent: null,
      metadata_json: { n: 1 },
      error_code: 'GONE',
      created_at: expect.stringMatching(/^\d{4}-.*T.*\.\d{6}Z$/),
    });
    expect(await listed(admin, { request_id: 'r9' })).toEqual([body.data]);
  });

  // Two events of one instant must be on one page each, even when the page ends between them.
  it('neither repeats nor skips with a cursor, among equal instants and while events come in', async () => {
    const owner = await app.actor('admin');
    const ids = [];
    for (let n = 0; n < 5; n += 1) ids.push(await event(owner, { at: `${DAY}T12:00:00.123456Z` }));
    const found: number[] = [];
    let cursor: string | undefined;
    do {
      const query = { to: before, limit: 2, ...(cursor === undefined ? {} : { cursor }) };
      const { body } = await owner.get('/v1/audit/events').query(query).expect(200);
      found.push(...(body.data.items as Event[]).map(({ id }) => id));
      expect(body.data.next_offset).toBe(cursor === undefined ? 2 : null);
      cursor = (body.data.next_cursor as string | null) ?? undefined;
      await event(owner, { at: `${DAY}T13:00:00Z` });
    } while (cursor !== undefined);
    expect(found).toEqual([...ids].reverse());
  });

  it('05 case 5: filters exactly, by each column and by several at once', async () => {
    const owner = await app.actor('admin');
    const deleted = await event(owner, { resourceType: 'document', resourceId: 'd1', actor: 'k1', request: 'r1' });
    const failed = await event(owner, {
      type: 'documents.deletedX',
      outcome: 'failure',
      code: 'CONFLICT',
      actor: 'k1',
    });
    const of = async (query: Record<string, string>) =>
      (await listed(owner, { to: before, ...query })).map(({ id }) => id);
    expect(await of({ event_type: 'documents.deleted' })).toEqual([deleted]);
    expect(await of({ outcome: 'failure' })).toEqual([failed]);
    expect(await of({ resource_type: 'document' })).toEqual([deleted]);
    expect(await of({ resource_id: 'd1' })).toEqual([deleted]);
    expect(await of({ request_id: 'r1' })).toEqual([deleted]);
    expect(await of({ error_code: 'CONFLICT' })).toEqual([failed]);
    expect(await of({ actor_id: 'k1' })).toEqual([failed, deleted]);
    expect(await of({ actor_id: 'k1', outcome: 'success', event_type: 'documents.deleted' })).toEqual([deleted]);
    expect(await of({ event_type: 'documents.deleted', outcome: 'failure' })).toEqual([]);
  });

  it('filters by a prefix that ends in .*, in which nothing is a wildcard', async () => {
    const owner = await app.actor('admin');
    const own = [
      await event(owner, { type: 'auth.access.failure' }),
      await event(owner, { type: 'auth.api_key.created' }),
    ];
    await event(owner, { type: 'authz.access.denied' });
    const of = async (type: string) => (await listed(owner, { to: before, event_type: type })).map(({ id }) => id);
    expect(await of('auth.*')).toEqual([...own].reverse());
    expect(await of('auth.api_key.*')).toEqual([own[1]]);
    for (const none of ['auth', 'a%.*', 'auth_.*', '*', '.*']) expect([none, await of(none)]).toEqual([none, []]);
  });

  it('filters by time with both ends included, in any offset and to the microsecond', async () => {
    const owner = await app.actor('admin');
    const [early, late] = [
      await event(owner, { at: `${DAY}T12:00:00.000001Z` }),
      await event(owner, { at: `${DAY}T12:00:00.000002Z` }),
    ];
    const between = async (from: string, to: string) => (await listed(owner, { from, to })).map(({ id }) => id);
    expect(await between(`${DAY}T12:00:00.000001Z`, `${DAY}T12:00:00.000002Z`)).toEqual([late, early]);
    expect(await between(`${DAY}T14:00:00.000002+02:00`, `${DAY}T23:00:00Z`)).toEqual([late]);
    expect(await between(`${DAY}T00:00:00Z`, `${DAY}T07:00:00.000001-05:00`)).toEqual([early]);
  });

  it('holds what a change wrote as soon as the change is answered', async () => {
    const created = await admin.post('/v1/corpora', { name: 'At once' }).expect(201);
    const rows = await listed(admin, { event_type: 'corpora.created', resource_id: created.body.data.id as string });
    expect(rows).toHaveLength(1);
  });
});

describe('403', () => {
  it('05 case 3: a reader and an editor, with the role that was missing', async () => {
    for (const role of ['reader', 'editor'] as const) {
      const actor = await app.actor(role, admin.tenantId);
      for (const path of ['events', 'events/1', 'export', 'verify']) {
        const response = await actor.get(`/v1/audit/${path}`).expect(403);
        const rows = await app.audit(admin.tenantId);
        expect(
          rows.find(
            (row) => row['request_id'] === response.get('X-Request-Id') && row['event_type'] === 'rbac.forbidden',
          ),
        ).toMatchObject({
          metadata_json: { required_role: 'admin', path: `/v1/audit/${path}` },
          actor_id: actor.keyId,
        });
      }
    }
  });

  it.each(['events', 'events/1', 'export', 'verify'])('05 case 10: an admin on the free plan: %s', async (path) => {
    const owner = await app.actor('admin', await app.tenant('free'));
    const { body } = await owner.get(`/v1/audit/${path}`).expect(403);
    expect(body.error).toMatchObject({
      code: 'FEATURE_NOT_ENABLED',
      details: { feature_key: 'feature.audit_access' },
    });
  });

  it('05 case 6: another tenant in the query; the own one is allowed', async () => {
    const stranger = await app.actor('admin');
    for (const path of ['events', 'export', 'verify']) {
      const { body } = await admin.get(`/v1/audit/${path}?tenant_id=${stranger.tenantId}`).expect(403);
      expect(body.error.code).toBe('AUTH_FORBIDDEN');
      await admin.get(`/v1/audit/${path}?tenant_id=${admin.tenantId}`).expect(200);
    }
  });
});

describe('404', () => {
  it('05 case 7: an event of another tenant, of nobody, and of no one', async () => {
    const foreign = await event(await app.actor('admin'));
    await app.anonymous().get('/v1/corpora').expect(401);
    const nobodys = String((await app.audit(null)).at(-1)?.['id']);
    for (const id of [foreign, nobodys, 999_999_999_999]) {
      const { body } = await admin.get(`/v1/audit/events/${id}`).expect(404);
      expect(body.error).toEqual({ code: 'NOT_FOUND', message: 'No such audit event.' });
    }
  });
});

describe('422 and 400', () => {
  it.each([
    'events?limit=0',
    'events?limit=201',
    'events?limit=x',
    'events?offset=-1',
    'events?offset=10001',
    'events?outcome=maybe',
    'events?colour=red',
    'events?from=2026-03-01T00:00:00',
    'events?to=2026-03-01',
    'events?from=2026-02-30T00:00:00Z',
    'events?from=2026-03-02T00:00:00Z&to=2026-03-01T00:00:00Z',
    'export?from=2026-03-02T00:00:00Z&to=2026-03-01T00:00:00Z',
    'export?limit=5',
    'verify?from=yesterday',
    'verify?from=2026-03-02T00:00:00Z&to=2026-03-01T00:00:00Z',
    'events/abc',
    'events/1.5',
    'events/-1',
  ])('05 case 11: %s', async (path) => {
    const { body } = await admin.get(`/v1/audit/${path}`).expect(422);
    expect(body.error.code).toBe('REQUEST_VALIDATION_ERROR');
  });

  it.each(['events?cursor=bad', 'events?cursor=WyJhIiwiYiJd', 'verify?cursor=bad', 'verify?cursor=WyJhIl0'])(
    'a cursor that is none: %s',
    async (path) => {
      const { body } = await admin.get(`/v1/audit/${path}`).expect(400);
      expect(body.error.code).toBe('INVALID_CURSOR');
    },
  );

  it('a cursor whose id is no number', async () => {
    const cursor = Buffer.from(JSON.stringify(['2026-03-01 00:00:00+00', 'x'])).toString('base64url');
    expect((await admin.get(`/v1/audit/events?cursor=${cursor}`).expect(400)).body.error.code).toBe('INVALID_CURSOR');
  });
});

describe('watching the watchers', () => {
  it('notes that a key looked at the trail once in a minute', async () => {
    const owner = await app.actor('admin');
    const second = await app.actor('admin', owner.tenantId);
    const started = app.infrastructure.clock.now();
    for (let n = 0; n < 3; n += 1) await listed(owner);
    await owner.get('/v1/audit/verify').expect(200);
    await listed(second);
    const minutes =
      Math.floor(app.infrastructure.clock.now().getTime() / 60_000) - Math.floor(started.getTime() / 60_000);
    const views = (await app.audit(owner.tenantId)).filter((row) => row['event_type'] === 'audit.viewed');
    expect(new Set(views.map((row) => row['actor_id']))).toEqual(new Set([owner.keyId, second.keyId]));
    expect(views.length).toBeLessThanOrEqual(2 * (1 + minutes));
    expect(views[0]).toMatchObject({
      metadata_json: { path: '/v1/audit/events', method: 'GET' },
      resource_type: 'audit',
    });
  });
});

describe('the export', () => {
  const lines = (text: string): Event[] =>
    text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Event);

  async function fill(owner: Actor, count: number): Promise<void> {
    await app.rows(
      `INSERT INTO audit_events (occurred_at, tenant_id, actor_type, event_type, outcome, metadata_json)
       SELECT $2::timestamptz + (n / 3) * interval '1 ms', $1, 'system', 'test.filled', 'success',
              jsonb_build_object('padding', repeat('x', 2000)) FROM generate_series(1, $3::int) n`,
      [owner.tenantId, `${DAY}T12:00:00Z`, count],
    );
  }

  it('streams what the filters let through, oldest first, over many batches, one object a line', async () => {
    const owner = await app.actor('admin');
    await fill(owner, 1203);
    const id = await event(owner, { at: `${DAY}T12:00:00Z` });
    const response = await owner.get(`/v1/audit/export?event_type=test.*&from=${DAY}T12:00:00Z`).expect(200);
    expect(response.get('Content-Type')).toBe('application/x-ndjson; charset=utf-8');
    const found = lines(response.text);
    expect(found).toHaveLength(1203);
    expect(new Set(found.map((row) => row.id)).size).toBe(1203);
    const keys = found.map((row) => `${row.occurred_at} ${String(row.id).padStart(12, '0')}`);
    expect(keys).toEqual([...keys].sort());
    const one = await owner.get(`/v1/audit/export?event_type=documents.deleted`).expect(200);
    expect(lines(one.text)).toEqual([(await owner.get(`/v1/audit/events/${id}`)).body.data]);
  });

  it('leaves an event of itself before the first line, which it holds when its filters let it through', async () => {
    const owner = await app.actor('admin');
    const response = await owner.get('/v1/audit/export?outcome=failure').expect(200);
    expect(response.text).toBe('');
    const row = (await app.audit(owner.tenantId)).find(({ event_type }) => event_type === 'audit.exported');
    expect(row).toMatchObject({
      request_id: response.get('X-Request-Id'),
      actor_id: owner.keyId,
      metadata_json: { filters: { outcome: 'failure' } },
    });
  });

  // A slow client must cost no memory and no connection, and one that has gone nothing at all.
  it('waits for its reader, holds no connection meanwhile, and stops when the reader has gone', async () => {
    const owner = await app.actor('admin');
    await fill(owner, 12_000);
    const statements: string[] = [];
    const { uow } = app.infrastructure;
    const rows = uow.rows.bind(uow);
    uow.rows = (sql, parameters) => {
      if (parameters?.includes(owner.tenantId) === true && sql.includes('FROM audit_events')) statements.push(sql);
      return rows(sql, parameters);
    };
    const request = get(`${app.url}/v1/audit/export`, { headers: { Authorization: `Bearer ${owner.token}` } });
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    response.pause();
    let seen = -1;
    await until(async () => {
      const quiet = seen === statements.length && seen > 0;
      seen = statements.length;
      // Answered on the embedded database only while the export holds no connection.
      await owner.get('/v1/corpora').expect(200);
      return quiet;
    });
    expect(statements.length).toBeLessThan(24);
    request.destroy();
    await once(response, 'close').catch(() => undefined);
    await owner.get('/v1/corpora').expect(200);
    expect(statements.length).toBeLessThan(24);
    Reflect.deleteProperty(uow, 'rows');
  });

  it.each([
    { failing: 1, what: 'answers an error' },
    { failing: 2, what: 'breaks off, so that half a file is not taken for a whole one' },
  ])('$what when the database fails at page $failing', async ({ failing }) => {
    const owner = await app.actor('admin');
    await fill(owner, 1203);
    const { uow } = app.infrastructure;
    const rows = uow.rows.bind(uow);
    let pages = 0;
    uow.rows = (sql, parameters) => {
      const page = parameters?.includes(owner.tenantId) === true && sql.includes('FROM audit_events');
      if (page && (pages += 1) === failing) return Promise.reject(new Error('The database is away.'));
      return rows(sql, parameters);
    };
    const request = owner.get('/v1/audit/export');
    if (failing === 1) expect((await request.expect(500)).body.error.code).toBe('INTERNAL_ERROR');
    else await expect(request).rejects.toThrow(/aborted|socket hang up/);
    Reflect.deleteProperty(uow, 'rows');
  });
});

describe('verifying', () => {
  it('05 case 14: names the event that somebody changed in the database', async () => {
    const owner = await app.actor('admin');
    const ids = [await event(owner), await event(owner), await event(owner)];
    await until(
      async () => (await app.app.nest.get(AuditSealing).run(), (await verified(owner)).sealed_to ?? 0) >= (ids[2] ?? 0),
    );
    const sound = await verified(owner);
    expect(sound).toEqual({
      ok: true,
      first_bad_id: null,
      checked: expect.any(Number),
      sealed_to: expect.any(Number),
      head: expect.stringMatching(/^[0-9a-f]{64}$/),
      next_cursor: null,
    });
    expect(sound.checked).toBeGreaterThanOrEqual(3);
    await app.dataSource.query(
      `BEGIN; SET LOCAL ROLE NONE; UPDATE audit_events SET outcome = 'failure' WHERE id = ${ids[1]}; COMMIT`,
    );
    expect(await verified(owner)).toMatchObject({ ok: false, first_bad_id: ids[1] });
    expect(await verified(await app.actor('admin'))).toMatchObject({ ok: true });
    expect(await verified(owner, '?from=2100-01-01T00:00:00Z')).toMatchObject({ ok: true, checked: 0 });
    expect(await verified(owner, `?to=${DAY}T11:59:59Z`)).toMatchObject({ ok: true, checked: 0 });
  });

  async function verified(owner: Actor, query = ''): Promise<Record<string, number | null>> {
    const { body } = await owner.get(`/v1/audit/verify${query}`).expect(200);
    return body.data as Record<string, number | null>;
  }
});

describe('a burst of accesses', () => {
  // What keeps the cost of a request small, whatever the machine: noting waits for nothing, and 500 rows are one statement.
  it('05 case 16: 10,000 events are noted without waiting and written in 20 statements', async () => {
    const { uow, clock, logger } = app.infrastructure;
    const events = new AuditEventsRepository(uow);
    const sizes: number[] = [];
    const insert = events.insert.bind(events);
    events.insert = (rows) => {
      sizes.push(rows.length);
      return insert(rows);
    };
    const declared = { 'test.burst': { description: 'A test.', metadata: ['path'], delivery: 'access' } } as const;
    const writer = new AuditWriter(declared, events, uow, clock, logger);
    const started = clock.monotonic();
    runInContext(systemContext('burst', admin.tenantId), () => {
      for (let n = 0; n < 10_000; n += 1) {
        writer.note({ event: 'test.burst', outcome: 'success', metadata: { path: '/v1/corpora' } });
      }
    });
    const noted = clock.monotonic() - started;
    await writer.flush();
    const written = clock.monotonic() - started - noted;
    process.stdout.write(
      `10,000 audit events: ${(noted / 10).toFixed(1)} µs each to note, ${(written / 10).toFixed(1)} µs each to write\n`,
    );
    expect(sizes).toEqual(Array.from({ length: 20 }, () => 500));
    const [row] = await app.rows(`SELECT count(*)::int AS n FROM audit_events WHERE request_id = 'burst'`);
    expect(row).toEqual({ n: 10_000 });
  });
});
