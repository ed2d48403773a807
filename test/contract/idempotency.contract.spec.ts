import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { isReplayed, takesKey } from '../../src/features/idempotency/index.js';
import type { Route } from '../../src/kernel/operation.js';
import { TestApp } from '../harness/app.js';
import { BILLING, callOf, EXAMPLES, furnish, idle, MOVES, send } from './examples.js';
import { DESCRIBED, described, errorsOf } from './openapi.js';

let app: TestApp;
let routes: ReadonlyMap<string, Route>;

beforeAll(async () => {
  app = await TestApp.start({ ...BILLING, ...MOVES });
  routes = new Map(app.app.manifest.routes.map((route) => [route.operation.id, route]));
});
afterAll(() => app.close());

function routeOf(id: string): Route {
  const route = routes.get(id);
  if (route === undefined) throw new Error(`${id} is no operation.`);
  return route;
}

const KEY = 'Idempotency-Key';
const replayed = (id: string): boolean => {
  const { method, operation } = routeOf(id);
  return takesKey(method, operation) && isReplayed(operation);
};

describe('every operation', () => {
  // A write that forgets the key is one that a client repeats in good faith, with two effects.
  it.each(Object.keys(EXAMPLES))(
    '%s, sent twice with one key, is replayed if it writes and answers JSON',
    async (id) => {
      const admin = await app.actor('admin');
      const call = callOf(routeOf(id), await furnish(app, admin));
      const sent = () => send(app, call, admin.token).set(KEY, 'once');
      const first = await sent().expect(routeOf(id).operation.status);
      await idle(app, admin.tenantId);
      const rows = await changesOf(admin.tenantId);
      const second = await sent();
      expect(second.get('Idempotency-Replayed')).toBe(replayed(id) ? 'true' : undefined);
      if (!replayed(id)) return;
      expect([second.status, second.text]).toEqual([first.status, first.text]);
      for (const header of ['content-type', 'etag', 'location', 'x-request-id']) {
        expect([header, second.headers[header]]).toEqual([header, first.headers[header]]);
      }
      expect(await changesOf(admin.tenantId)).toEqual(rows);
    },
  );

  it('documents the key and its errors exactly where it is taken', () => {
    for (const route of routes.values()) {
      const operation = DESCRIBED.get(described(route));
      const { method, operation: declared } = route;
      const takes = takesKey(method, declared);
      const headers = (operation?.parameters ?? []).filter((parameter) => parameter.in === 'header');
      expect([declared.id, headers.some(({ name }) => name === KEY)]).toEqual([declared.id, takes]);
      const codes = errorsOf(operation ?? { operationId: '', responses: {} })
        .map(({ code }) => code)
        .filter((code) => code.startsWith('IDEMPOTENCY_'));
      const expected = [
        ...(takes ? ['IDEMPOTENCY_KEY_CONFLICT', 'IDEMPOTENCY_KEY_INVALID'] : []),
        ...(takes && isReplayed(declared) ? ['IDEMPOTENCY_IN_PROGRESS', 'IDEMPOTENCY_RESULT_LOST'] : []),
      ];
      expect([declared.id, codes.sort()]).toEqual([declared.id, expected.sort()]);
    }
  });
});

/** What requests changed: every change is audited. */
async function changesOf(tenantId: string): Promise<unknown[]> {
  const events = await app.audit(tenantId);
  return events
    .filter(
      ({ event_type }) => !String(event_type).startsWith('auth.access') && !String(event_type).endsWith('.succeeded'),
    )
    .map(({ event_type, request_id }) => [event_type, request_id]);
}
