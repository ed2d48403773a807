import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { PROVIDER_TEXT, type ModelServer } from '../../harness/model-server.js';
import { startOpenAiServer } from '../../harness/openai-server.js';
import { parseEvents, type StreamEvent } from '../../harness/sse.js';
import { Gate, says, ScriptedChat } from './scripted-chat.js';
import { newSession, only, Stage, textOf, types } from './stage.js';

let stage: Stage;
let chat: ScriptedChat;

beforeAll(async () => {
  stage = await Stage.start({ RUN_SSE_HEARTBEAT_S: '1', RUN_MAX_MESSAGE_CHARS: '100' });
  chat = stage.chat;
});
afterAll(() => stage.close());
beforeEach(() => {
  chat.script = says('Hello', ' world.');
});

function expectNumbered(events: readonly StreamEvent[]): void {
  expect(events.map((event) => event.data.seq)).toEqual(events.map((_event, index) => index + 1));
  expect(events.map((event) => event.id)).toEqual(events.map((_event, index) => String(index + 1)));
}

describe('200', () => {
  it('streams the events in the order of the protocol, the final text being the deltas joined', async () => {
    chat.script = says('They eat', ' krill [', '1] and more [7].');
    const session_id = newSession();
    const stream = await stage.open({ session_id }, { 'X-Request-Id': 'request-42' });
    const events = await stream.end();
    expect(types(events).join()).toMatch(/^request\.accepted(,token\.delta)+,message\.final,done$/);
    expectNumbered(events);
    for (const { event, data } of events) {
      expect(event).toBe('message');
      expect(Object.keys(data).sort()).toEqual(['data', 'request_id', 'seq', 'session_id', 'type']);
      expect(data).toMatchObject({ request_id: 'request-42', session_id });
    }
    expect(only(events, 'request.accepted')).toEqual({
      accepted_at: expect.stringMatching(/^\d{4}-.*Z$/),
      top_k_effective: 5,
    });
    const { text, citations, usage } = only(events, 'message.final');
    expect(text).toBe('They eat krill [1] and more .');
    expect(textOf(events)).toBe(text);
    expect(usage).toBeNull();
    expect(citations.map((citation: { index: number; cited: boolean }) => [citation.index, citation.cited])).toEqual([
      [1, true],
      [2, false],
    ]);
    expect(citations[0]).toMatchObject({
      chunk_id: expect.any(String),
      document_id: expect.any(String),
      filename: 'notes.txt',
      page: null,
      offset_start: 0,
      offset_end: 1,
      source: `document://${citations[0].document_id}`,
    });
    expect(citations[0].score).toBeGreaterThan(0);
    expect(citations[0].score).toBeLessThanOrEqual(1);
    expect(only(events, 'done')).toEqual({ receipt_id: only(events, 'message.final').receipt_id });
  });

  it('has headers that keep proxies from buffering, and no compression', async () => {
    const stream = await stage.open({}, { 'Accept-Encoding': 'gzip, br' });
    const { headers } = stream.response;
    expect(headers.get('content-type')).toMatch(/^text\/event-stream/);
    expect(headers.get('cache-control')).toBe('no-cache, no-transform');
    expect(headers.get('x-accel-buffering')).toBe('no');
    expect(headers.get('content-encoding')).toBeNull();
    const events = await stream.end();
    expect(events.map((event) => event.data.request_id)).toEqual(events.map(() => headers.get('x-request-id')));
    const [run] = await stage.app.rows(`SELECT DISTINCT run_id FROM messages WHERE session_id = $1`, [
      events[0]?.data.session_id,
    ]);
    expect(headers.get('x-run-id')).toBe(run?.['run_id']);
  });

  it('joins the tokens of a fast model into few frames, losing none', async () => {
    const words = Array.from({ length: 500 }, (_, index) => `word${index} `);
    chat.script = says(...words);
    const events = await stage.ask();
    expect(textOf(events)).toBe(words.join(''));
    expect(events.length).toBeLessThan(words.length / 2);
    expectNumbered(events);
  });

  it('sends heartbeats, numbered with the rest, while the model is silent', async () => {
    const gate = new Gate();
    chat.script = says('Well', gate, ' then.');
    const stream = await stage.open();
    const heartbeat = await stream.until(({ event }) => event === 'heartbeat');
    expect(Object.keys(heartbeat.data).sort()).toEqual(['request_id', 'seq', 'ts']);
    gate.open();
    const events = await stream.end();
    expectNumbered(events);
    expect(types(events).at(-1)).toBe('done');
    expect(only(events, 'message.final').text).toBe('Well then.');
  });

  it('answers the text and then audio.error when speech is asked of an installation without it', async () => {
    const events = await stage.ask({ audio: true });
    expect(types(events).slice(-3)).toEqual(['message.final', 'audio.error', 'done']);
    expect(only(events, 'audio.error')).toEqual({ code: 'TTS_CONFIG_MISSING', message: expect.any(String) });
  });

  it('answers a resumption with resume.unsupported, asking and storing nothing', async () => {
    const before = chat.calls.length;
    const session_id = newSession();
    const stream = await stage.open({ session_id }, { 'Last-Event-ID': '5' });
    expect(stream.response.status).toBe(200);
    const events = await stream.end();
    expect(types(events)).toEqual(['resume.unsupported', 'done']);
    expectNumbered(events);
    expect(await stage.sessions(session_id)).toEqual([]);
    expect(chat.calls.length).toBe(before);
    expect(stage.freeSlots).toBe(10);
  });

  it('serves /run with the same events and the headers of a deprecated route', async () => {
    const response = await stage.reader.post('/run', stage.body()).expect(200);
    expect(response.get('Deprecation')).toBe('true');
    expect(response.get('Sunset')).toMatch(/GMT$/);
    expect(response.get('Link')).toContain('successor-version');
    const events = parseEvents(response.text);
    expect(types(events)).toEqual(types(await stage.ask()));
    expectNumbered(events);
  });

  it('answers stream:false as one JSON body', async () => {
    const body = stage.body({ stream: false });
    const response = await stage.reader.post('/v1/run', body).expect(200);
    expect(response.get('Content-Type')).toMatch(/^application\/json/);
    expect(response.body).toEqual({
      data: {
        run_id: response.get('X-Run-Id'),
        session_id: body['session_id'],
        text: 'Hello world.',
        citations: [expect.objectContaining({ index: 1 }), expect.objectContaining({ index: 2 })],
        usage: null,
        receipt_id: response.get('X-Receipt-Id'),
        receipt_emitted: true,
      },
      meta: { request_id: response.get('X-Request-Id'), api_version: 'v1' },
    });
    const legacy = await stage.reader.post('/run', stage.body({ stream: false })).expect(200);
    expect(legacy.body).toMatchObject({ text: 'Hello world.' });
  });

  it('takes a question of exactly the longest length, counted in characters', async () => {
    await stage.reader.post('/v1/run', stage.body({ stream: false, message: '🐧'.repeat(100) })).expect(200);
  });
});

describe('4xx', () => {
  it.each([
    ['no session', { session_id: undefined }],
    ['an empty session id', { session_id: '' }],
    ['a session id with a space', { session_id: 'a b' }],
    ['a session id of 129 characters', { session_id: 'a'.repeat(129) }],
    ['no corpus', { corpus_id: undefined }],
    ['a blank message', { message: ' \n ' }],
    ['a message that is one character too long', { message: '🐧'.repeat(101) }],
    ['a message that holds NUL', { message: 'a\0b' }],
    ['top_k 0', { top_k: 0 }],
    ['top_k 51', { top_k: 51 }],
    ['top_k as text', { top_k: '5' }],
    ['audio as text', { audio: 'true' }],
    ['an unknown field', { colour: 'red' }],
  ])('422 for %s, whether or not a stream is to be resumed', async (_name, fault) => {
    const body = { ...stage.body(), ...fault };
    for (const headers of [{}, { 'Last-Event-ID': '5' }]) {
      const response = await stage.reader.post('/v1/run', body).set(headers).expect(422);
      expect(response.body.error.code).toBe('REQUEST_VALIDATION_ERROR');
    }
  });

  it.each(['abc', '-1', '1.5', '12345678901'])('422 for Last-Event-ID %s', async (id) => {
    const response = await stage.reader.post('/v1/run', stage.body()).set('Last-Event-ID', id).expect(422);
    expect(response.body.error.code).toBe('REQUEST_VALIDATION_ERROR');
  });

  it('400 for tenant_id, 401 without a key', async () => {
    const response = await stage.reader.post('/v1/run', stage.body({ tenant_id: 't2' })).expect(400);
    expect(response.body.error.code).toBe('TENANT_ID_NOT_ALLOWED');
    await stage.app.anonymous().post('/v1/run').send(stage.body()).expect(401);
  });

  it('404 for an unknown corpus and for a foreign one, storing nothing', async () => {
    const stranger = await stage.app.actor('reader');
    const session_id = newSession();
    const missing = await stage.reader.post('/v1/run', stage.body({ session_id, corpus_id: 'missing' })).expect(404);
    const foreign = await stranger.post('/v1/run', stage.body({ session_id })).expect(404);
    expect(missing.body.error.code).toBe('NOT_FOUND');
    expect(foreign.body.error).toEqual(missing.body.error);
    expect(await stage.sessions(session_id)).toEqual([]);
    expect(stage.freeSlots).toBe(10);
  });
});

describe('the model that the settings name', () => {
  let other: Stage;
  afterEach(() => other.close());

  it('quotes the documents and cites them when no provider is configured', async () => {
    other = await Stage.start({ LLM_PROVIDER: '' }, 'real');
    const events = await other.ask();
    const { text, citations } = only(events, 'message.final');
    const cited = citations.filter((citation: { cited: boolean }) => citation.cited);
    expect(cited.length).toBeGreaterThan(0);
    const sources = ['Penguins are birds that cannot fly.', 'Penguins eat krill and small fish.'];
    expect(text).toContain(sources[1]);
    const invented = sources.reduce((rest: string, source) => rest.replaceAll(source, ''), text);
    expect(invented.replace(/\[\d+\]|\s/g, '')).toBe('');
    expect(textOf(events)).toBe(text);
  });

  it('says what Vertex AI lacks, having stored the question only', async () => {
    other = await Stage.start({ LLM_PROVIDER: 'vertex' }, 'real');
    const session_id = newSession();
    const events = await other.ask({ session_id });
    expect(types(events)).toEqual(['request.accepted', 'error', 'done']);
    expect(only(events, 'error').code).toBe('VERTEX_CONFIG_MISSING');
    expect(only(events, 'error').message).toMatch(/GOOGLE_CLOUD_PROJECT/);
    expect((await other.messages(session_id)).map(({ role }) => role)).toEqual(['user']);
    const response = await other.reader.post('/v1/run', other.body({ session_id, stream: false })).expect(503);
    expect(response.body.error.code).toBe('VERTEX_CONFIG_MISSING');
  });

  it('streams the fake reply word by word, with one debug.retrieval before it when asked to', async () => {
    other = await Stage.start({ DEBUG_EVENTS: 'true', SSE_FLUSH_INTERVAL_MS: '0' }, 'real');
    const events = await other.ask();
    expect(types(events)).toEqual([
      'request.accepted',
      'debug.retrieval',
      ...Array.from({ length: 5 }, () => 'token.delta'),
      'message.final',
      'done',
    ]);
    expect(only(events, 'debug.retrieval')).toEqual({ provider: 'local_pgvector', num_chunks: 2 });
    expect(only(events, 'message.final').text).toBe('This is a fake reply. ');
  });

  it('ends an answer that takes longer than allowed', async () => {
    other = await Stage.start({ RUN_TIMEOUT_S: '1' }, new ScriptedChat(says('Well', new Gate())));
    const session_id = newSession();
    const events = await other.ask({ session_id });
    expect(types(events)).toEqual(['request.accepted', 'token.delta', 'error', 'done']);
    expect(only(events, 'error').code).toBe('RUN_TIMEOUT');
    expect((await other.messages(session_id)).map(({ role }) => role)).toEqual(['user']);
    expect(other.freeSlots).toBe(10);
  });
});

describe('a provider that fails', () => {
  let upstream: ModelServer;
  let other: Stage;
  beforeAll(async () => {
    upstream = await startOpenAiServer();
    const env = { ...upstream.env, LLM_PROVIDER: 'openai', EXT_RETRY_BACKOFF_MS: '0', CB_FAILURE_THRESHOLD: '20' };
    other = await Stage.start({ ...env, LLM_IDLE_TIMEOUT_MS: '300' }, 'real');
  });
  afterAll(async () => {
    await other.close();
    await upstream.close();
  });

  it('reports the usage that the provider counted, and stores it', async () => {
    const session_id = newSession();
    const events = await other.ask({ session_id });
    const usage = { input_tokens: 11, output_tokens: 7 };
    expect(only(events, 'message.final')).toMatchObject({ text: 'Hello world', usage });
    expect((await other.messages(session_id)).map((message) => message.usage)).toEqual([null, usage]);
  });

  it.each([
    ['drops the connection', 'LLM_ERROR', 502, () => upstream.replies.cut('Once', ' upon')],
    ['sends an error', 'LLM_ERROR', 502, () => upstream.replies.errorEvent('Once', ' upon')],
    ['falls silent', 'LLM_TIMEOUT', 504, () => upstream.replies.stall('Once', ' upon')],
    ['filters the answer', 'LLM_CONTENT_FILTERED', 422, () => upstream.replies.filtered('Once', ' upon')],
  ])('mid-stream: one that %s is %s, then done, and no answer is kept', async (_name, code, status, reply) => {
    upstream.http.next(reply(), reply());
    const session_id = newSession();
    const stream = await other.open({ session_id });
    const events = await stream.end();
    expect(types(events).filter((type) => type !== 'token.delta')).toEqual(['request.accepted', 'error', 'done']);
    expect(textOf(events)).toBe('Once upon');
    expect(only(events, 'error').code).toBe(code);
    expect(JSON.stringify(events)).not.toContain(PROVIDER_TEXT);
    const response = await other.reader.post('/v1/run', other.body({ session_id, stream: false })).expect(status);
    expect(response.body.error.code).toBe(code);
    expect((await other.messages(session_id)).map(({ role }) => role)).toEqual(['user', 'user']);
    expect(await other.app.rows(`SELECT 1 FROM checkpoints WHERE session_id = $1`, [session_id])).toEqual([]);
    expect(await other.sessions(session_id)).toEqual([{ active_run_id: null }]);
    expect(other.freeSlots).toBe(10);
  });

  it('refuses: LLM_AUTH_ERROR without the text of the provider', async () => {
    upstream.http.next(upstream.replies.status(401));
    const events = await other.ask();
    expect(only(events, 'error').code).toBe('LLM_AUTH_ERROR');
    expect(JSON.stringify(events)).not.toContain(PROVIDER_TEXT);
  });

  it('keeps failing: LLM_UNAVAILABLE without a call', async () => {
    upstream.http.next(...Array.from({ length: 40 }, () => upstream.replies.status(500)));
    const codes: string[] = [];
    for (let run = 0; run < 21; run += 1) codes.push(only(await other.ask(), 'error').code as string);
    expect(codes[0]).toBe('LLM_ERROR');
    const requests = upstream.http.requests.length;
    expect(only(await other.ask(), 'error').code).toBe('LLM_UNAVAILABLE');
    expect(upstream.http.requests.length).toBe(requests);
  });
});
