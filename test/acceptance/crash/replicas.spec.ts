import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '../../harness/eventually.js';
import { postgresPrograms, PrivateServices } from '../../harness/private-services.js';
import { testDatabaseUrl, testRedisUrl } from '../../harness/services.js';
import { Client } from './client.js';
import { APIS, Cluster, type Life } from './cluster.js';
import { EventText } from './event-text.js';

const programs = postgresPrograms();
/** So slow that a frame has long been kept when the next one comes. */
const WORD_MS = 500;

if (testDatabaseUrl === undefined || testRedisUrl === undefined || programs === undefined) {
  it('two replicas need TEST_DATABASE_URL, TEST_REDIS_URL and the Postgres that scripts/services.sh installs', () => {
    expect([testDatabaseUrl, testRedisUrl, programs]).toContain(undefined);
  });
} else {
  twoReplicas(programs);
}

function twoReplicas(postgres: string): void {
  let services: PrivateServices;
  let cluster: Cluster;
  let client: Client;

  beforeAll(async () => {
    services = await PrivateServices.start(postgres);
    cluster = new Cluster(services, {
      FAKE_LLM_DELAY_MS: String(WORD_MS),
      FAKE_LLM_RESPONSE: 'one two three four five six',
      RUN_TIMEOUT_S: '30',
      RUN_DRAIN_S: '1',
    });
    await cluster.start(APIS);
    client = new Client('acme', await cluster.key('acme'), cluster);
    await client.call('POST', '/v1/corpora', { id: 'handbook', name: 'Handbook' });
  }, 120_000);
  afterAll(async () => {
    await cluster.close();
    await services.discard();
  });

  const ask = (api: Life, session: string): Promise<EventText> =>
    EventText.open(`${api.url ?? ''}/v1/run`, {
      method: 'POST',
      headers: client.headers,
      body: JSON.stringify({ session_id: session, corpus_id: 'handbook', message: 'What is in there?' }),
    });
  const readAgain = (api: Life, runId: string, headers: Record<string, string> = {}): Promise<EventText> =>
    EventText.open(`${api.url ?? ''}/v1/runs/${runId}/events`, { headers: { ...client.headers, ...headers } });
  const runOf = (stream: EventText): string => stream.response.headers.get('x-run-id') ?? '';
  const types = (stream: EventText): unknown[] => stream.events.map(({ data }) => data.type ?? 'heartbeat');
  const deltas = (stream: EventText): number => types(stream).filter((type) => type === 'token.delta').length;

  describe('a stream on two replicas', () => {
    it('is read byte-identical on the other one, while it lasts and afterwards', async () => {
      const [first, second] = APIS.map((name) => cluster.life(name)) as [Life, Life];
      const original = await ask(first, 'complete');
      await original.until((stream) => deltas(stream) === 2);
      const alongside = await readAgain(second, runOf(original));
      await Promise.all([original.end(), alongside.end()]);
      expect(types(original).slice(-2)).toEqual(['message.final', 'done']);
      expect(alongside.text).toBe(original.text);
      expect((await (await readAgain(second, runOf(original))).end()).text).toBe(original.text);
      const rest = await (await readAgain(second, runOf(original), { 'Last-Event-ID': '3' })).end();
      expect(rest.text).toBe(original.frames.slice(3).join(''));
    });

    // Without it a client whose server died can only ask again, and pays for the answer twice.
    it('survives a kill -9 of the one that made it: what was sent, byte by byte, then an error and done', async () => {
      const [first, second] = APIS.map((name) => cluster.life(name)) as [Life, Life];
      const original = await ask(first, 'killed');
      await original.until((stream) => deltas(stream) === 2);
      const alongside = await readAgain(second, runOf(original));
      // Now the other replica has what the client has.
      await alongside.until((stream) => stream.frames.length >= original.frames.length);
      cluster.signal('api-1', 'SIGKILL');
      await original.end();
      expect(original.broken).toBe(true);
      await alongside.end();
      const sent = original.frames.join('');
      expect(alongside.text.slice(0, sent.length)).toBe(sent);
      expect(types(alongside).slice(-2)).toEqual(['error', 'done']);
      expect(alongside.find('error').code).toBe('RUN_INTERRUPTED');
      expect((await (await readAgain(second, runOf(original))).end()).text).toBe(alongside.text);
      const resumed = await readAgain(second, runOf(original), { 'Last-Event-ID': String(original.frames.length) });
      expect(sent + (await resumed.end()).text).toBe(alongside.text);
      // 19 case 15: the receipt was there before the first token, and nobody says how the answer ended.
      const id = original.response.headers.get('x-receipt-id') ?? '';
      const { status, body } = await client.call('GET', `/v1/receipts/${id}`);
      expect([status, body]).toEqual([
        200,
        { data: expect.objectContaining({ receipt_id: id }), meta: expect.anything() },
      ]);
      expect(body).not.toHaveProperty('data.outcome');
      await cluster.ready();
    });
  });

  // A deployment that cuts streams off, or leaves with an error code, looks like an outage.
  it('SIGTERM lets streams finish or ends them with an error, then exits with 0, while the other replica serves', async () => {
    const first = cluster.life('api-1');
    const second = cluster.life('api-2');
    const early = await ask(first, 'nearly-done');
    await early.until((stream) => deltas(stream) === 5);
    const late = await ask(first, 'just-begun');
    await late.until((stream) => deltas(stream) === 1);
    cluster.signal('api-1', 'SIGTERM');
    const other = await ask(second, 'elsewhere');
    expect(other.response.status).toBe(200);
    await Promise.all([early.end(), late.end(), other.end()]);
    expect([early.broken, late.broken, other.broken]).toEqual([false, false, false]);
    expect(types(early).slice(-2)).toEqual(['message.final', 'done']);
    expect(types(late).slice(-2)).toEqual(['error', 'done']);
    expect(late.find('error').code).toBe('RUN_INTERRUPTED');
    expect(types(other).slice(-2)).toEqual(['message.final', 'done']);
    expect(await first.program.exit()).toBe(0);
    const again = await (await readAgain(second, runOf(late))).end();
    expect(again.text).toBe(late.text);
    await eventually(() => expect(cluster.serving).toHaveLength(2), 60_000);
    expect(cluster.unexplained).toEqual([]);
  });
}
