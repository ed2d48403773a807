import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ServerResponse } from 'node:http';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { RunSlots } from '../../../src/features/run/application/run-slots.js';
import type { Actor } from '../../harness/app.js';
import { eventually } from '../../harness/eventually.js';
import { OpenStream, type StreamEvent } from '../../harness/sse.js';
import { newCorpus } from '../retrieval/chunks.js';
import { LazyClient } from './lazy-client.js';
import { Gate, says, ScriptedChat, type Script } from './scripted-chat.js';
import { newSession, only, Stage, textOf, types } from './stage.js';

const delta = ({ data }: StreamEvent): boolean => data.type === 'token.delta';
const accepted = ({ data }: StreamEvent): boolean => data.type === 'request.accepted';

let stage: Stage;
let chat: ScriptedChat;
let free: number;

/** A question for one JSON body, whose client can leave. */
function askForJson(body: Record<string, unknown>): { controller: AbortController; request: Promise<Response> } {
  const controller = new AbortController();
  const request = fetch(`${stage.app.url}/v1/run`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${stage.reader.token}` },
    body: JSON.stringify(stage.body({ stream: false, ...body })),
    signal: controller.signal,
  });
  return { controller, request };
}

describe('the bulkhead', () => {
  beforeAll(async () => {
    stage = await Stage.start({ RUN_BULKHEAD_MAX_CONCURRENCY: '1', RUN_MAX_CONCURRENCY: '7' });
    chat = stage.chat;
  });
  afterAll(() => stage.close());

  it('with one slot, answers 503 SERVICE_BUSY with Retry-After to the second run and serves the third', async () => {
    const gate = new Gate();
    chat.script = says('Hello', gate);
    const first = await stage.open();
    await first.until(delta);
    for (const stream of [true, false]) {
      const second = await stage.reader.post('/v1/run', stage.body({ stream })).expect(503);
      expect(second.body.error.code).toBe('SERVICE_BUSY');
      expect(second.get('Retry-After')).toBe('1');
    }
    expect(types(await (await stage.open({}, { 'Last-Event-ID': '1' })).end())).toContain('resume.unsupported');
    gate.open();
    await first.end();
    expect(types(await stage.ask()).at(-2)).toBe('message.final');
  });

  // One slot that leaks per failure takes a process out of service after a handful of them.
  it('gets its slot back from runs that end before their stream, or in an error of any kind', async () => {
    await stage.reader.post('/v1/run', stage.body({ corpus_id: 'missing' })).expect(404);
    expect(stage.freeSlots).toBe(1);
    await stage.asOwner('ALTER TABLE sessions RENAME TO sessions_away');
    await stage.ask();
    await stage.reader.post('/v1/run', stage.body({ stream: false })).expect(500);
    await stage.asOwner('ALTER TABLE sessions_away RENAME TO sessions');
    expect(stage.freeSlots).toBe(1);
    chat.script = () => {
      throw new TypeError('a bug');
    };
    expect(only(await stage.ask(), 'error').code).toBe('UNKNOWN_ERROR');
    expect(stage.freeSlots).toBe(1);
    const headers = stage.app.app.nest.getHttpServer() as NodeJS.EventEmitter;
    headers.once('request', (_request: unknown, response: ServerResponse) => {
      response.flushHeaders = () => {
        throw new Error('a bug between the slot and the stream');
      };
    });
    await stage
      .open()
      .then((stream) => stream.end())
      .catch(() => undefined);
    expect(stage.freeSlots).toBe(1);
    chat.script = says('Hello');
    expect(types(await stage.ask()).at(-2)).toBe('message.final');
  });
});

describe('the slots of one tenant', () => {
  afterEach(() => stage.close());

  /** Streams that are open until `gate` opens, as many as the tenant may have, and the answer to one more. */
  async function fill(by: Actor, corpus_id: string, gate: Gate): Promise<{ open: OpenStream[]; refused: number }> {
    stage.chat.script = says('Hello', gate);
    const open: OpenStream[] = [];
    for (;;) {
      const stream = await stage.open({ corpus_id }, {}, by);
      if (stream.response.status !== 200) {
        expect(stream.response.headers.get('retry-after')).toBe('1');
        await stream.end().catch(() => undefined);
        return { open, refused: stream.response.status };
      }
      open.push(stream);
    }
  }

  // One customer's burst would otherwise be an outage for all others.
  it.each([
    ['80 %, rounded up', {}, 4],
    ['RUN_MAX_CONCURRENCY_PER_TENANT', { RUN_MAX_CONCURRENCY_PER_TENANT: '2' }, 2],
    ['all, when it may have more than there are', { RUN_MAX_CONCURRENCY_PER_TENANT: '9' }, 5],
  ])('are %s of five: beyond, 503 SERVICE_BUSY, while others are served', async (_name, env, most) => {
    stage = await Stage.start({ RUN_MAX_CONCURRENCY: '5', ...env });
    const gate = new Gate();
    const { open, refused } = await fill(stage.reader, stage.corpusId, gate);
    expect([open.length, refused]).toEqual([most, 503]);
    const neighbour = await stage.app.actor('editor');
    const others = await fill(neighbour, await newCorpus(neighbour), gate);
    expect(others.open.length).toBe(Math.min(most, 5 - most));
    gate.open();
    await Promise.all([...open, ...others.open].map((stream) => stream.end()));
    const slots = stage.app.app.nest.get(RunSlots);
    await eventually(() => expect([slots.free, slots.tenants]).toEqual([5, 0]));
  });
});

describe('many runs', () => {
  beforeAll(async () => {
    stage = await Stage.start({
      RUN_MAX_CONCURRENCY: '10',
      RUN_MAX_CONCURRENCY_PER_TENANT: '10',
      AUTH_CACHE_TTL_S: '60',
    });
    chat = stage.chat;
  });
  afterAll(() => stage.close());

  it('200 at once against ten slots: never more than ten, and ten are free afterwards', async () => {
    let running = 0;
    let most = 0;
    const gate = new Gate();
    chat.script = async function* (call) {
      running += 1;
      most = Math.max(most, running);
      try {
        yield* says('Hello', gate, ' world.')(call);
      } finally {
        running -= 1;
      }
    };
    let refused = 0;
    const ask = async (_: unknown, index: number): Promise<number> => {
      const stream = await stage.open();
      if (stream.response.status === 503 && (refused += 1) === 190) gate.open();
      if (stream.response.status !== 200) return stream.response.status;
      await gate.pass();
      if (index % 3 === 0) stream.abort();
      else expect(types(await stream.end()).at(-1)).toBe('done');
      return 200;
    };
    const statuses = await Promise.all(Array.from({ length: 200 }, ask));
    expect(statuses.filter((status) => status === 200)).toHaveLength(10);
    expect(statuses.filter((status) => status === 503)).toHaveLength(190);
    expect(most).toBe(10);
    await eventually(() => expect([running, stage.freeSlots]).toEqual([0, 10]), 1000);
  });

  it('60 at once that come again until they are served: all are, with never more than ten', async () => {
    let running = 0;
    let most = 0;
    chat.script = async function* (call) {
      most = Math.max(most, (running += 1));
      await nextTurn();
      yield* says('Hello')(call);
      running -= 1;
    };
    const ask = async (): Promise<void> => {
      for (;;) {
        const stream = await stage.open();
        const events = await stream.end().catch(() => []);
        if (stream.response.status === 200) return expect(types(events).at(-1)).toBe('done');
        expect(stream.response.status).toBe(503);
        await eventually(() => expect(stage.freeSlots).toBeGreaterThan(0));
      }
    };
    await Promise.all(Array.from({ length: 60 }, ask));
    expect(most).toBeLessThanOrEqual(10);
    expect(stage.freeSlots).toBe(10);
  }, 120_000);
});

describe('a client that leaves', () => {
  beforeAll(async () => {
    stage = await Stage.start({ AUTH_CACHE_TTL_S: '60', SSE_FLUSH_INTERVAL_MS: '0' });
    chat = stage.chat;
    free = stage.freeSlots;
  });
  afterAll(() => stage.close());

  const freed = (): Promise<void> => eventually(() => expect(stage.freeSlots).toBe(free), 1000);

  it.each([
    ['after request.accepted', [new Gate()], accepted, undefined],
    ['after the first delta', ['One', new Gate(), ' two'], delta, 'One'],
    [
      'in the middle',
      ['One', ' two', ' three', new Gate()],
      ({ data }: StreamEvent) => data.seq === 4,
      'One two three',
    ],
    ['before the end, the answer being complete', ['One.', new Gate()], delta, 'One.'],
  ])(
    '%s: slot and session are free within a second, the model is stopped, the partial answer kept',
    async (_, script, when, kept) => {
      chat.script = says(...script);
      const session_id = newSession();
      const stream = await stage.open({ session_id });
      await stream.until(when);
      await eventually(() => expect(chat.lastCall.signal.aborted).toBe(false));
      expect(stage.freeSlots).toBe(free - 1);
      stream.abort();
      await freed();
      expect(chat.lastCall.signal.aborted).toBe(true);
      const answers = (await stage.messages(session_id)).slice(1);
      expect(answers.map(({ status, content }) => [status, content])).toEqual(
        kept === undefined ? [] : [['cancelled', kept]],
      );
      expect(await stage.app.rows(`SELECT 1 FROM checkpoints WHERE session_id = $1`, [session_id])).toEqual([]);
      chat.script = says('Again.');
      expect(only(await stage.ask({ session_id }), 'message.final').text).toBe('Again.');
      const failures = (await stage.app.audit(stage.reader.tenantId)).filter(
        (event) => event['event_type'] === 'run.failed' && JSON.stringify(event).includes(`"${session_id}"`),
      );
      expect(failures.map((event) => event['error_code'])).toEqual(['CLIENT_GONE']);
    },
  );

  it('of stream:false is noticed just the same', async () => {
    chat.script = says('One', new Gate());
    const session_id = newSession();
    const calls = chat.calls.length;
    const { controller, request } = askForJson({ session_id });
    await eventually(() => expect(chat.calls.length).toBe(calls + 1));
    controller.abort();
    await expect(request).rejects.toThrow(/abort/i);
    await freed();
    expect(chat.lastCall.signal.aborted).toBe(true);
    expect((await stage.messages(session_id)).map(({ status }) => status)).toEqual(['complete', 'cancelled']);
  });

  // The close event comes before anybody listens for it; the model would answer, at full length, nobody.
  it.each([true, false])('while its question is being stored (stream: %s) costs no model call', async (stream) => {
    chat.script = says('Hello');
    await stage.ask();
    const calls = chat.calls.length;
    const session_id = newSession();
    const blocker = stage.app.dataSource.createQueryRunner();
    await blocker.query('BEGIN; SET LOCAL ROLE NONE; LOCK TABLE sessions IN ACCESS EXCLUSIVE MODE');
    const controller = new AbortController();
    const request = fetch(`${stage.app.url}/v1/run`, {
      method: 'POST',
      headers: {
        'Content-Type': 'application/json',
        Authorization: `Bearer ${stage.reader.token}`,
        'X-Request-Id': session_id,
      },
      body: JSON.stringify(stage.body({ session_id, stream })),
      signal: controller.signal,
    });
    await eventually(() => expect(stage.freeSlots).toBe(free - 1));
    controller.abort();
    await expect(request).rejects.toThrow(/abort/i);
    await eventually(() => expect(stage.app.logs.some((line) => line['request_id'] === session_id)).toBe(true));
    await blocker.query('COMMIT');
    await blocker.release();
    await freed();
    expect(chat.calls.length).toBe(calls);
    expect(await stage.sessions(session_id)).toEqual([{ active_run_id: null }]);
  });

  it('while the answer is being stored leaves a whole answer, once', async () => {
    const gate = new Gate();
    chat.script = says('One.', gate);
    const session_id = newSession();
    const stream = await stage.open({ session_id });
    await stream.until(delta);
    const blocker = stage.app.dataSource.createQueryRunner();
    await blocker.query('BEGIN; SET LOCAL ROLE NONE; LOCK TABLE checkpoints IN ACCESS EXCLUSIVE MODE');
    gate.open();
    // By then the model has ended and the transaction waits for the lock, or for the only connection.
    for (let turn = 0; turn < 50; turn += 1) await nextTurn();
    stream.abort();
    await eventually(() =>
      expect(stage.app.logs.some((line) => line['request_id'] === stream.response.headers.get('x-request-id'))).toBe(
        true,
      ),
    );
    await blocker.query('COMMIT');
    await blocker.release();
    await freed();
    expect((await stage.messages(session_id)).map(({ status }) => status)).toEqual(['complete', 'complete']);
    expect(await stage.sessions(session_id)).toEqual([{ active_run_id: null }]);
  });
});

describe('a client that leaves a run in the background', () => {
  beforeAll(async () => {
    stage = await Stage.start({ SSE_FLUSH_INTERVAL_MS: '0', RUN_SSE_STALL_S: '1' });
    chat = stage.chat;
    free = stage.freeSlots;
  });
  afterAll(() => stage.close());

  const settled = (): Promise<void> => eventually(() => expect(stage.freeSlots).toBe(free));

  it('gets a whole answer: the run holds its slot and session to the end, and can be resumed', async () => {
    const gate = new Gate();
    chat.script = says('One', gate, ' two.');
    const session_id = newSession();
    const stream = await stage.open({ session_id, background: true });
    await stream.until(delta);
    stream.abort();
    const runId = stream.response.headers.get('x-run-id') ?? '';
    const events = `${stage.app.url}/v1/runs/${runId}/events`;
    const again = await OpenStream.get(events, stage.reader.token);
    await again.until(delta);
    expect(stage.freeSlots).toBe(free - 1);
    expect(chat.lastCall.signal.aborted).toBe(false);
    await stage.reader.post('/v1/run', stage.body({ session_id })).expect(409);
    gate.open();
    expect(types(await again.end())).toEqual([
      'request.accepted',
      'token.delta',
      'token.delta',
      'message.final',
      'done',
    ]);
    await settled();
    const stored = await stage.messages(session_id);
    expect(stored.map(({ status, content }) => [status, content]).slice(1)).toEqual([['complete', 'One two.']]);
    expect(await stage.sessions(session_id)).toEqual([{ active_run_id: null }]);
    expect(only(again.events, 'message.final').text).toBe('One two.');
  });

  it('of stream:false gets a whole answer, too', async () => {
    const gate = new Gate();
    chat.script = says('One', gate, ' two.');
    const session_id = newSession();
    const calls = chat.calls.length;
    const { controller, request } = askForJson({ session_id, background: true });
    await eventually(() => expect(chat.calls.length).toBe(calls + 1));
    controller.abort();
    await expect(request).rejects.toThrow(/abort/i);
    gate.open();
    await settled();
    expect((await stage.messages(session_id)).map(({ status }) => status)).toEqual(['complete', 'complete']);
  });

  // A client that sleeps with its connection open must not stop what it asked to be finished without it.
  it('by no longer reading holds the model back no longer than the stall time', async () => {
    chat.script = async function* ({ signal }) {
      for (let part = 0; part < 1500; part += 1) {
        signal.throwIfAborted();
        await nextTurn();
        yield { type: 'delta', text: 'x'.repeat(8192) };
      }
    };
    const session_id = newSession();
    const stream = await stage.open({ session_id, background: true });
    await settled();
    expect((await stage.messages(session_id)).at(-1)).toMatchObject({ status: 'complete' });
    stream.abort();
  });

  it('is cancelled all the same without background:true, and with background:false', async () => {
    for (const body of [{}, { background: false }]) {
      chat.script = says('One', new Gate());
      const session_id = newSession();
      const stream = await stage.open({ session_id, ...body });
      await stream.until(delta);
      stream.abort();
      await settled();
      expect((await stage.messages(session_id)).at(-1)?.status).toBe('cancelled');
    }
    await stage.reader.post('/v1/run', stage.body({ background: 'yes' })).expect(422);
  });
});

describe('a client that does not read', () => {
  const MEGABYTE = 1024 * 1024;
  beforeAll(async () => {
    stage = await Stage.start({ RUN_SSE_STALL_S: '1', RUN_SSE_HEARTBEAT_S: '1' });
    chat = stage.chat;
    free = stage.freeSlots;
  });
  afterAll(() => stage.close());

  let produced = 0;
  /** Tens of megabytes; `pausing` as a model does that reads from a socket. */
  const flood = (pausing: boolean): Script =>
    async function* ({ signal }) {
      for (produced = 0; produced < 40 * MEGABYTE; produced += 8192) {
        signal.throwIfAborted();
        if (pausing) await nextTurn();
        yield { type: 'delta', text: 'x'.repeat(8192) };
      }
    };

  function stalled(sessionId: string): Promise<LazyClient> {
    return LazyClient.send(stage, 'POST', '/v1/run', stage.body({ session_id: sessionId }));
  }

  // A few such clients would otherwise fill the memory of the process with answers that nobody takes.
  it.each([true, false])(
    'holds the model back and is given up after the stall time (pausing model: %s)',
    async (pausing) => {
      chat.script = flood(pausing);
      const session_id = newSession();
      const { socket, buffer } = await stalled(session_id);
      await eventually(() => expect(stage.freeSlots).toBe(free));
      expect(chat.lastCall.signal.aborted).toBe(true);
      expect(produced).toBeLessThan(40 * MEGABYTE);
      expect(buffer.most).toBeLessThan(MEGABYTE);
      expect((await stage.messages(session_id)).at(-1)?.status).toBe('cancelled');
      const events = await stage.app.audit(stage.reader.tenantId);
      const failed = events.findLast(({ event_type }) => event_type === 'run.failed');
      expect(failed).toMatchObject({ error_code: 'CLIENT_GONE', metadata_json: { session_id } });
      socket.destroy();
    },
  );

  // The last event repeats the whole answer; unread, it would keep its memory and its connection for good.
  it('loses its connection, too, when it stops before the last event', async () => {
    const gate = new Gate();
    chat.script = says(...Array.from({ length: 16 }, () => 'x'.repeat(MEGABYTE)), gate);
    const session_id = newSession();
    const { socket } = await stalled(session_id);
    let received = 0;
    socket.on('data', (bytes: Buffer) => (received += bytes.length));
    await eventually(() => expect(received).toBeGreaterThan(16 * MEGABYTE));
    socket.pause();
    gate.open();
    await eventually(() => expect(stage.freeSlots).toBe(free));
    expect((await stage.messages(session_id)).at(-1)?.status).toBe('complete');
    const server = stage.app.app.nest.getHttpServer();
    const connections = promisify(server.getConnections.bind(server));
    const before = await connections();
    await eventually(async () => expect(await connections()).toBeLessThan(before));
    socket.destroy();
  });

  it('for a moment only gets everything', async () => {
    const part = 'y'.repeat(8192);
    chat.script = async function* () {
      for (let sent = 0; sent < 16 * MEGABYTE; sent += part.length) yield { type: 'delta', text: part };
    };
    const stream = await stage.open();
    await stream.until(delta);
    for (let turn = 0; turn < 200; turn += 1) await nextTurn();
    const events = await stream.end();
    expect(textOf(events)).toHaveLength(16 * MEGABYTE);
    expect(types(events).at(-1)).toBe('done');
  });
});

describe('a process that stops', () => {
  beforeEach(() => {
    chat = new ScriptedChat();
  });

  it('lets an open stream finish, and takes no further run meanwhile', async () => {
    stage = await Stage.start({ RUN_DRAIN_S: '30', AUTH_CACHE_TTL_S: '60' }, chat);
    const gate = new Gate();
    chat.script = says('Hello', gate, ' world.');
    const stream = await stage.open();
    await stream.until(delta);
    const closing = stage.close();
    await eventually(async () => {
      const response = await stage.reader.post('/v1/run', stage.body());
      expect([response.status, response.body.error.code]).toEqual([503, 'RUN_INTERRUPTED']);
    });
    gate.open();
    expect(types(await stream.end()).slice(-2)).toEqual(['message.final', 'done']);
    await closing;
  });

  it('lets a background run finish that nobody reads', async () => {
    stage = await Stage.start({ RUN_DRAIN_S: '30' }, chat);
    const gate = new Gate();
    chat.script = says('Hello', gate, ' world.');
    const session_id = newSession();
    const stream = await stage.open({ session_id, background: true });
    await stream.until(delta);
    stream.abort();
    const stored: string[] = [];
    const closing = stage.app.app.close().then(async () => {
      stored.push(...(await stage.messages(session_id)).map(({ content }) => content));
      await stage.close();
    });
    gate.open();
    await closing;
    expect(stored.slice(1)).toEqual(['Hello world.']);
  });

  it('interrupts a stream that takes too long: RUN_INTERRUPTED, done', async () => {
    stage = await Stage.start({ RUN_DRAIN_S: '1' }, chat);
    chat.script = says('Hello', new Gate());
    const stream = await stage.open();
    const single = stage.reader.post('/v1/run', stage.body({ stream: false })).then((response) => response);
    await stream.until(delta);
    await eventually(() => expect(chat.calls).toHaveLength(2));
    const closing = stage.close();
    const events = await stream.end();
    expect(types(events)).toEqual(['request.accepted', 'token.delta', 'error', 'done']);
    expect(only(events, 'error').code).toBe('RUN_INTERRUPTED');
    const { status, body } = await single;
    expect([status, body.error.code]).toEqual([503, 'RUN_INTERRUPTED']);
    expect(chat.lastCall.signal.aborted).toBe(true);
    await closing;
  });
});
