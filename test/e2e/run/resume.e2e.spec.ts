import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { ApiKeys } from '../../../src/features/auth/index.js';
import { encodeFrame, RunFrames } from '../../../src/features/run/domain/sse.js';
import type { Actor } from '../../harness/app.js';
import { eventually } from '../../harness/eventually.js';
import { Hop } from '../../harness/hop.js';
import { testRedisUrl } from '../../harness/services.js';
import { OpenStream, type StreamEvent } from '../../harness/sse.js';
import { LazyClient } from './lazy-client.js';
import { Replica } from '../../harness/replica.js';
import { Gate, says, type ScriptedChat } from './scripted-chat.js';
import { newSession, only, Stage, textOf, types } from './stage.js';

const UNKNOWN_RUN = '00000000-0000-7000-8000-000000000000';
const delta = ({ data }: StreamEvent): boolean => data.type === 'token.delta';

let stage: Stage;
let chat: ScriptedChat;
let replica: Replica;

const framesOf = (text: string): string[] => text.split(/(?<=\n\n)/);
const runIdOf = ({ response }: OpenStream): string => response.headers.get('x-run-id') ?? '';

/** Reads on by GET. Without `after` from the start. */
function read(runId: string, after?: number | string, url = stage.app.url, by: Actor = stage.reader) {
  const headers = after === undefined ? {} : { 'Last-Event-ID': String(after) };
  return OpenStream.get(`${url}/v1/runs/${runId}/events`, by.token, headers);
}

/** Reads on by repeating the question. */
function repeat(runId: string, after: number | string, url = stage.app.url, by: Actor = stage.reader) {
  const headers = { 'Last-Event-ID': String(after), 'X-Run-Id': runId };
  return OpenStream.post(`${url}/v1/run`, by.token, stage.body(), headers);
}

async function whole(stream: OpenStream): Promise<string> {
  await stream.end();
  return stream.text;
}

/** A run that was read to its end, and what was received. */
async function finished(body: Record<string, unknown> = {}): Promise<{ runId: string; text: string }> {
  const stream = await stage.open(body);
  return { text: await whole(stream), runId: runIdOf(stream) };
}

/** Frames as another process would have left them, of a run of the reader. */
async function leave(runId: string, frames: readonly string[], last: boolean, aliveMs: number): Promise<void> {
  const { tenantId, userId, keyId } = stage.reader;
  const label = { owner: [tenantId, userId, keyId], requestId: 'request-1', sessionId: 'session-1' };
  const batch = { first: 1, entries: frames, last };
  await stage.app.infrastructure.appendLogs.append(runId, JSON.stringify(label), batch, { keepMs: 60_000, aliveMs });
}

function deltas(count: number, text: string): string[] {
  const frames = new RunFrames('request-1', 'session-1');
  return Array.from({ length: count }, () => encodeFrame(frames.event('token.delta', { delta: text })));
}

async function expectUnsupported(stream: OpenStream): Promise<void> {
  expect(stream.response.status).toBe(200);
  expect(types(await stream.end())).toEqual(['resume.unsupported', 'done']);
  expect(stream.events.map(({ id }) => id)).toEqual(['1', '2']);
}

async function expectGone(runId: string, after?: number): Promise<void> {
  const get = await read(runId, after);
  await get.end();
  expect([get.response.status, get.text]).toEqual([404, expect.stringContaining('"NOT_FOUND"')]);
  await expectUnsupported(await repeat(runId, after ?? 0));
}

describe('a stream', () => {
  beforeAll(async () => {
    stage = await Stage.start({ RUN_SSE_HEARTBEAT_S: '1', SSE_FLUSH_INTERVAL_MS: '0', RUN_RESUME_MAX_FOLLOWERS: '2' });
    chat = stage.chat;
    replica = await Replica.of(stage.app);
  });
  afterAll(async () => {
    await replica.close();
    await stage.close();
  });
  beforeEach(() => {
    chat.script = says('They eat', ' krill [1]', '.');
  });
  const urls = (): string[] => [stage.app.url, replica.url];

  // A client joins what it had and what it gets; one byte off, and the answer on the screen is another one.
  it('goes on after every cut with the very bytes that would have come, on every replica, heartbeats included', async () => {
    const gate = new Gate();
    chat.script = says('They eat', ' krill ', gate, 'and “small” 🐟 [1].');
    const stream = await stage.open();
    await stream.until(({ event }) => event === 'heartbeat');
    gate.open();
    const frames = framesOf(await whole(stream));
    expect(frames.length).toBeGreaterThanOrEqual(7);
    for (const url of urls()) {
      expect(await whole(await read(runIdOf(stream), undefined, url))).toBe(frames.join(''));
      for (let after = 0; after <= frames.length; after += 1) {
        const rest = frames.slice(after).join('');
        expect(await whole(await read(runIdOf(stream), after, url))).toBe(rest);
        expect(await whole(await repeat(runIdOf(stream), after, url))).toBe(rest);
      }
    }
  });

  it('has the headers of the first one when it goes on, and the legacy alias, too', async () => {
    const { runId, text } = await finished();
    const first = await stage.open();
    await first.end();
    const names = ['content-type', 'cache-control', 'x-accel-buffering', 'connection'];
    for (const again of [await read(runId), await repeat(runId, 0)]) {
      expect(names.map((name) => again.response.headers.get(name))).toEqual(
        names.map((name) => first.response.headers.get(name)),
      );
      expect(runIdOf(again)).toBe(runId);
      expect(again.response.headers.get('x-request-id')).not.toBe(again.events[0]?.data.request_id);
      await again.end();
    }
    expect((await stage.reader.get(`/runs/${runId}/events`).buffer(true).expect(200)).text).toBe(text);
  });

  it('is followed while it goes on, from anywhere, by readers that all get the same', async () => {
    const gate = new Gate();
    chat.script = says('One', ' two', gate, ' three', ' four.');
    const stream = await stage.open();
    await stream.until(({ data }) => data.seq === 3);
    const followers = await Promise.all(
      urls().flatMap((url) => [read(runIdOf(stream), undefined, url), read(runIdOf(stream), 2, url)]),
    );
    for (const follower of followers) await follower.until(({ data }) => data.seq === 3);
    gate.open();
    const frames = framesOf(await whole(stream));
    const texts = await Promise.all(followers.map(whole));
    expect(texts).toEqual([frames.join(''), frames.slice(2).join(''), frames.join(''), frames.slice(2).join('')]);
    expect(frames.at(-1)).toContain('"done"');
  });

  it('is waited for by a client that already has all there is', async () => {
    const gate = new Gate();
    chat.script = says('One', gate, ' two.');
    const stream = await stage.open();
    await stream.until(delta);
    const follower = await read(runIdOf(stream), 2, replica.url);
    gate.open();
    const frames = framesOf(await whole(stream));
    expect(await whole(follower)).toBe(frames.slice(2).join(''));
  });

  it('ends for who resumes it as it ended: with the error of a run that failed', async () => {
    chat.script = says('Half', new Error('broken'));
    const { runId, text } = await finished();
    expect(text).toContain('UNKNOWN_ERROR');
    for (const url of urls()) expect(await whole(await read(runId, undefined, url))).toBe(text);
  });

  it('ends with RUN_CANCELLED after its client left, the text being what was kept of the answer', async () => {
    chat.script = says('One', ' two', new Gate());
    const session_id = newSession();
    const stream = await stage.open({ session_id });
    await stream.until(({ data }) => data.seq === 3);
    stream.abort();
    const again = await read(runIdOf(stream), undefined, replica.url);
    const events = await again.end();
    expect(types(events)).toEqual(['request.accepted', 'token.delta', 'token.delta', 'error', 'done']);
    expect(events.map(({ data }) => data.seq)).toEqual([1, 2, 3, 4, 5]);
    expect(only(events, 'error')).toEqual({
      code: 'RUN_CANCELLED',
      message: expect.stringContaining('background:true'),
    });
    await eventually(async () => {
      expect((await stage.messages(session_id)).map(({ status, content }) => [status, content])).toEqual([
        ['complete', 'What do penguins eat?'],
        ['cancelled', textOf(events)],
      ]);
    });
    expect(again.text.startsWith(stream.text)).toBe(true);
  });

  it('names its run when the question could not be stored, and can be read again', async () => {
    await stage.asOwner(`ALTER TABLE messages ADD CONSTRAINT ck_test CHECK (role <> 'user') NOT VALID`);
    const { runId, text } = await finished().finally(() =>
      stage.asOwner('ALTER TABLE messages DROP CONSTRAINT ck_test'),
    );
    expect(text).toContain('DB_ERROR');
    expect(await whole(await read(runId))).toBe(text);
  });

  it('of stream:false names its run, also when it fails, and has no events', async () => {
    const { headers } = await stage.reader.post('/v1/run', stage.body({ stream: false })).expect(200);
    await expectGone(headers['x-run-id'] as string);
    chat.script = says(new Error('broken'));
    const failed = await stage.reader.post('/v1/run', stage.body({ stream: false })).expect(500);
    expect(failed.get('X-Run-Id')).toMatch(/^[0-9a-f-]{36}$/);
  });

  // A run id is written into logs and passed between systems: it must not open a conversation to who finds it.
  it('belongs to the key that asked: for any other, its run is one that does not exist', async () => {
    const { runId, text } = await finished();
    const { tenantId, userId } = stage.reader;
    const own = await stage.app.as(tenantId, () =>
      stage.app.app.nest.get(ApiKeys).create({ role: 'reader', name: 'second', userId }),
    );
    const others: Actor[] = [
      { ...stage.reader, token: own.token },
      await stage.app.actor('admin', tenantId),
      await stage.app.actor('admin'),
    ];
    const visible = async (id: string, by: Actor): Promise<unknown> => {
      const stream = await read(id, undefined, replica.url, by);
      await stream.end();
      const { status, headers } = stream.response;
      const single = ['x-request-id', 'date', 'server-timing', 'content-length', 'etag'];
      const requestId = headers.get('x-request-id') ?? '';
      const common = [...headers].filter(([name]) => !single.includes(name) && !name.startsWith('x-quota-'));
      return [status, common, stream.text.replace(requestId, '')];
    };
    for (const other of others) {
      expect(await visible(runId, other)).toEqual(await visible(UNKNOWN_RUN, other));
      expect(await visible(runId, other)).toEqual([404, expect.anything(), expect.stringContaining('NOT_FOUND')]);
      await expectUnsupported(await repeat(runId, 1, replica.url, other));
    }
    expect(await whole(await read(runId))).toBe(text);
  });

  it('that is unknown, not named, or not a run id is none to go on with; nothing is stored', async () => {
    for (const id of [UNKNOWN_RUN, 'x', 'a}b*', '%00', '..%2f..']) {
      const response = await stage.reader.get(`/v1/runs/${id}/events`);
      expect([response.status, response.body.error.code]).toEqual([404, 'NOT_FOUND']);
    }
    const session_id = newSession();
    for (const headers of [{}, { 'X-Run-Id': '' }, { 'X-Run-Id': 'x' }, { 'X-Run-Id': UNKNOWN_RUN }]) {
      await expectUnsupported(await stage.open({ session_id }, { 'Last-Event-ID': '5', ...headers }));
    }
    expect(await stage.sessions(session_id)).toEqual([]);
  });

  it('is not cut short by an X-Run-Id alone, which means nothing', async () => {
    const { runId } = await finished();
    const events = await (await stage.open({}, { 'X-Run-Id': runId })).end();
    expect(types(events).at(-2)).toBe('message.final');
  });

  it.each(['abc', '-1', '1.5', '12345678901', ''])('is not continued after event "%s": 422', async (id) => {
    const { runId } = await finished();
    const responses = [
      await stage.reader.get(`/v1/runs/${runId}/events`).set('Last-Event-ID', id),
      await stage.reader.post('/v1/run', stage.body()).set({ 'Last-Event-ID': id, 'X-Run-Id': runId }),
    ];
    for (const { status, body } of responses) {
      expect([status, body.error.code]).toEqual([422, 'REQUEST_VALIDATION_ERROR']);
    }
  });

  // Frames that were sent and lost with their process: an empty stream would let the client wait for nothing.
  it('is not continued after an event beyond its end', async () => {
    const { runId, text } = await finished();
    await expectGone(runId, framesOf(text).length + 1);
  });

  it('may be followed by a bounded number in one process, without a slot', async () => {
    const gate = new Gate();
    chat.script = says('One', gate);
    const stream = await stage.open();
    await stream.until(delta);
    const free = stage.freeSlots;
    const followers = [await read(runIdOf(stream)), await repeat(runIdOf(stream), 0)];
    const [get, post] = [await read(runIdOf(stream)), await repeat(runIdOf(stream), 0)];
    for (const refused of [get, post]) {
      expect([refused.response.status, refused.response.headers.get('retry-after')]).toEqual([503, '1']);
      expect(await whole(refused)).toContain('SERVICE_BUSY');
    }
    expect(stage.freeSlots).toBe(free);
    followers[0]?.abort();
    const again = await eventually(async () => {
      const follower = await read(runIdOf(stream));
      expect(follower.response.status).toBe(200);
      return follower;
    });
    gate.open();
    const text = await whole(stream);
    expect(await whole(again)).toBe(text);
    expect(await whole(followers[1] as OpenStream)).toBe(text);
  });

  describe('whose process died', () => {
    it('ends with RUN_INTERRUPTED, the same for all who follow it', async () => {
      const runId = UNKNOWN_RUN.replace(/0$/, '1');
      const frames = deltas(200, 'word');
      await leave(runId, frames, false, 300);
      const followers = await Promise.all(
        urls().flatMap((url) => [read(runId, undefined, url), read(runId, 200, url)]),
      );
      const texts = await Promise.all(followers.map(whole));
      const all = framesOf(texts[0] ?? '');
      expect(all.slice(0, -2)).toEqual(frames);
      const end = followers[0]?.events.slice(-2) ?? [];
      expect(end.map(({ data }) => [data.type, data.seq, data.request_id, data.session_id])).toEqual([
        ['error', 201, 'request-1', 'session-1'],
        ['done', 202, 'request-1', 'session-1'],
      ]);
      expect(only(end, 'error').code).toBe('RUN_INTERRUPTED');
      const rest = all.slice(200).join('');
      expect(texts).toEqual([all.join(''), rest, all.join(''), rest]);
    });

    // It may have sent frames that it could no longer keep. Their reader must hear of the end, after what it has.
    it.each([201, 202, 203])('ends so, too, for a client that has frame %d, which was not kept', async (has) => {
      const runId = UNKNOWN_RUN.replace(/000$/, `${has}`);
      await leave(runId, deltas(200, 'word'), false, 300);
      for (const url of urls()) {
        const stream = await read(runId, has, url);
        const events = await stream.end();
        expect(stream.response.status).toBe(200);
        expect(events.map(({ data }) => [data.type, data.seq])).toEqual([
          ['error', has + 1],
          ['done', has + 2],
        ]);
        expect(only(events, 'error').code).toBe('RUN_INTERRUPTED');
      }
    });
  });

  it('breaks off without its end when the replica that sends it stops, and goes on at another', async () => {
    const gate = new Gate();
    chat.script = says('One', gate, ' two.');
    const stream = await stage.open();
    await stream.until(delta);
    const leaving = await Replica.of(stage.app);
    const follower = await read(runIdOf(stream), 0, leaving.url);
    await follower.until(delta);
    await leaving.close();
    const seen = types(await follower.end()).filter((type) => type !== 'heartbeat');
    expect(seen).toEqual(['request.accepted', 'token.delta']);
    // Heartbeats may have come as well.
    const lastSeen = Number(/.*\nid: (\d+)\n/s.exec(follower.text)?.[1]);
    const other = await read(runIdOf(stream), lastSeen, replica.url);
    gate.open();
    expect(follower.text + (await whole(other))).toBe(await whole(stream));
  });
});

describe('frames', () => {
  afterEach(() => stage.close());

  it('are gone after their time', async () => {
    stage = await Stage.start({ RUN_RESUME_TTL_S: '1' });
    const { runId, text } = await finished();
    expect(await whole(await read(runId))).toBe(text);
    await eventually(() => expectGone(runId));
  });

  it('are not kept at all when their time is zero', async () => {
    stage = await Stage.start({ RUN_RESUME_TTL_S: '0' });
    const { runId, text } = await finished();
    expect(text).toContain('message.final');
    await expectGone(runId);
  });

  it('are not kept of a run that has too many, which reaches its own client nevertheless', async () => {
    stage = await Stage.start();
    stage.chat.script = says(...Array.from({ length: 5 }, () => 'x'.repeat(1024 * 1024)));
    const { runId, text } = await finished();
    expect(text.length).toBeGreaterThan(5 * 1024 * 1024);
    await eventually(() => expectGone(runId));
  });

  // One tab that sleeps must not hold the answers that it does not read in the memory of the server.
  it('wait for a slow reader, which is given up after the stall time', async () => {
    stage = await Stage.start({ RUN_SSE_STALL_S: '1' });
    const runId = UNKNOWN_RUN.replace(/0$/, '2');
    const frames = deltas(150, 'y'.repeat(100_000));
    await leave(runId, frames, true, 1000);
    const { socket, buffer, closed } = await LazyClient.send(stage, 'GET', `/v1/runs/${runId}/events`);
    await closed;
    expect(buffer.most).toBeLessThan(1024 * 1024);
    socket.destroy();
    expect((await whole(await read(runId))) === frames.join('')).toBe(true);
  });

  it('take no more memory than they may, the oldest run making room', async () => {
    stage = await Stage.start({ RUN_RESUME_MAX_MB: '1', REDIS_URL: '' });
    stage.chat.script = says('z'.repeat(200_000));
    const runs = [await finished(), await finished(), await finished()];
    expect((await whole(await read(runs[2]?.runId ?? ''))) === runs[2]?.text).toBe(true);
    await expectGone(runs[0]?.runId ?? '');
  });
});

const withRedis = testRedisUrl === undefined ? describe.skip : describe;
withRedis('while Redis is away', () => {
  const hop = new Hop(new URL(testRedisUrl ?? 'redis://none'));
  beforeAll(async () => {
    stage = await Stage.start({ REDIS_URL: `redis://127.0.0.1:${await hop.open()}` });
    chat = stage.chat;
  });
  afterAll(async () => {
    await stage.close();
    await hop.cut();
  });

  it('streams go on, none can be resumed, and those of that time can be afterwards', async () => {
    const gate = new Gate();
    chat.script = says('One', gate, ' two.');
    const stream = await stage.open();
    await stream.until(delta);
    await hop.cut();
    await eventually(async () => expect((await read(runIdOf(stream))).response.status).toBe(503));
    await expectUnsupported(await repeat(runIdOf(stream), 1));
    gate.open();
    const text = await whole(stream);
    expect(types(stream.events).slice(-2)).toEqual(['message.final', 'done']);
    chat.script = says('Three.');
    const later = await finished();
    expect(later.text).toContain('message.final');
    await hop.open();
    await eventually(async () => expect(await whole(await read(runIdOf(stream)))).toBe(text));
    await eventually(async () => expect(await whole(await read(later.runId))).toBe(later.text));
  });
});
