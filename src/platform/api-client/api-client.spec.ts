import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Secret } from '../../kernel/settings.js';
import { ManualClock, SystemClock } from '../../kernel/time.js';
import { cut, ScriptedServer, sendJson } from '../../../test/harness/scripted-server.js';
import { ApiClient, apiPath } from './api-client.js';
import { ApiRefusal, ApiUnreachable } from './api-fault.js';
import { eventFeed } from './event-feed.js';

let server: ScriptedServer;
let clock: ManualClock;
let api: ApiClient;
beforeEach(async () => {
  server = await ScriptedServer.start((response) => sendJson(response, 200, { data: { id: 1 }, meta: {} }));
  clock = new ManualClock();
  api = client(server.url);
});
afterEach(() => server.close());

function client(hostUrl: string): ApiClient {
  return new ApiClient({ hostUrl, token: new Secret('nrgk_1'), timeoutMs: 5_000 }, clock);
}

describe('a call', () => {
  it('sends what is given, as whoever holds the token', async () => {
    await client(`${server.url}/rag/`).patch(apiPath`/v1/a/${'x/../y?'}`, { given: '', not: undefined });
    await api.get('/v1/list', { limit: 3, cursor: undefined, state: 'a&b' });
    expect(server.requests.map(({ method, path, text }) => [method, path, text])).toEqual([
      ['PATCH', '/rag/v1/a/x%2F..%2Fy%3F', '{"given":""}'],
      ['GET', '/v1/list?limit=3&state=a%26b', ''],
    ]);
    expect(server.requests[1]?.headers.authorization).toBe('Bearer nrgk_1');
  });

  it('takes bodies with an envelope and without, and none at all', async () => {
    server.next(
      (response) => sendJson(response, 200, { data: [1], meta: { page: { next_cursor: 'c2' } } }),
      (response) => sendJson(response, 200, [1]),
      (response) => response.writeHead(204).end(),
    );
    expect(await api.get('/a')).toEqual({ data: [1], nextCursor: 'c2' });
    expect(await api.get('/a')).toEqual({ data: [1], nextCursor: undefined });
    expect(await api.delete('/a')).toEqual({ data: null, nextCursor: undefined });
  });

  it.each([
    [
      409,
      { error: { code: 'TAKEN', message: 'It is taken.', details: { by: 'x' } }, meta: { request_id: 'r1' } },
      { code: 'TAKEN', message: 'It is taken.', details: { by: 'x' }, requestId: 'r1' },
    ],
    [
      422,
      {
        error: {
          code: 'REQUEST_VALIDATION_ERROR',
          message: 'Not valid.',
          details: { errors: [{ loc: ['body', 'region'], msg: 'is empty', type: 'x' }] },
        },
      },
      { message: 'Not valid. body.region: is empty', details: undefined },
    ],
  ])('that is refused with %i says why', async (status, body, expected) => {
    server.next((response) => sendJson(response, status, body));
    const refusal: unknown = await api.get('/a').catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(ApiRefusal);
    expect(refusal).toMatchObject({ status, ...expected });
  });

  it.each([
    ['text/plain', 'Vector DB not found\n', 'Vector DB not found'],
    ['text/html', '<html>502</html>', 'The server answered 502.'],
  ])('that something else refuses in %s says what can be read', async (type, text, message) => {
    server.next((response) => response.writeHead(502, { 'Content-Type': type }).end(text));
    await expect(api.get('/a')).rejects.toMatchObject({ status: 502, code: undefined, message });
  });

  it('does not carry the token to where it is redirected', async () => {
    server.next((response) => response.writeHead(307, { Location: 'https://elsewhere.example/a' }).end());
    await expect(api.get('/a')).rejects.toThrow('redirects to https://elsewhere.example. Use that instead.');
    expect(server.requests).toHaveLength(1);
  });

  it('ends at its timeout, also in the middle of a body', async () => {
    server.next((response) => response.writeHead(200).write('{'));
    const call = expect(api.get('/a')).rejects.toThrow(/did not answer within 5 s/);
    await server.until(({ requests }) => requests.length === 1);
    clock.advance(5_000);
    await call;
  });

  it('says that nobody listens, or that nobody here speaks JSON', async () => {
    server.next((response) => response.end('hello'));
    await expect(api.get('/a')).rejects.toThrow('does not answer as the API does');
    const gone = await ScriptedServer.start(() => undefined);
    const nobody = client(gone.url);
    await gone.close();
    await expect(nobody.get('/a')).rejects.toThrow(/cannot be reached \(ECONNREFUSED\)/);
  });
});

describe('a feed of events', () => {
  const event = (id: number): string => `id: ${id}\nevent: key\ndata: {"n":${id}}\n\n`;
  const open = 'retry: 1\n\n';
  const feed = (after?: string): AsyncGenerator<{ id: string }> =>
    eventFeed(api, '/v1/stream', { clock: new SystemClock(), after, reconnecting: () => undefined });

  it('goes on where a broken or ended connection left off', async () => {
    server.next(
      (response) => cut(response, open + event(1) + event(2)),
      (response) => sendJson(response, 503, {}),
      (response) => response.end(open + event(3)),
      (response) => response.write(open + event(4)),
    );
    const seen: string[] = [];
    for await (const { id } of feed('0')) {
      seen.push(id);
      if (id === '4') break;
    }
    expect(seen).toEqual(['1', '2', '3', '4']);
    expect(server.requests.map(({ headers }) => headers['last-event-id'])).toEqual(['0', '2', '2', '3']);
    await server.until(({ abandoned }) => abandoned === 1);
  });

  it('ends when it is refused, and when it never began', async () => {
    server.next(
      (response) => response.end(open + event(1)),
      (response) => sendJson(response, 403, {}),
    );
    const events = feed();
    expect(await events.next()).toMatchObject({ value: { id: '1' } });
    await expect(events.next()).rejects.toMatchObject({ status: 403 });
    expect(server.requests[0]?.headers['last-event-id']).toBeUndefined();
    server.next((response) => sendJson(response, 503, {}));
    await expect(feed().next()).rejects.toMatchObject({ status: 503 });
    await server.close();
    await expect(feed().next()).rejects.toBeInstanceOf(ApiUnreachable);
    server = await ScriptedServer.start(() => undefined);
  });
});
