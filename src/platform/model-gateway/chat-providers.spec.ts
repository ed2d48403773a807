import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { ModelServer } from '../../../test/harness/model-server.js';
import { PROVIDER_TEXT } from '../../../test/harness/model-server.js';
import { startOpenAiServer } from '../../../test/harness/openai-server.js';
import { ScriptedServer } from '../../../test/harness/scripted-server.js';
import type { ReceivedRequest } from '../../../test/harness/scripted-server.js';
import { startVertexServer } from '../../../test/harness/vertex-server.js';
import { AppError } from '../../kernel/errors.js';
import { SystemIds } from '../../kernel/ids.js';
import { loadSettings } from '../../kernel/settings.js';
import { ManualClock, SystemClock } from '../../kernel/time.js';
import type { Clock } from '../../kernel/time.js';
import type { ChatEvent, ChatModel, ChatRequest } from './chat-model.js';
import { createChatModel } from './create-models.js';
import { modelSettings } from './model-gateway.settings.js';

const REQUEST: ChatRequest = {
  system: 'Be brief.',
  messages: [
    { role: 'user', content: 'Hi' },
    { role: 'assistant', content: 'Hello.' },
    { role: 'user', content: 'And now?' },
  ],
  question: 'And now?',
  passages: [],
};

/** Retries without a wait, so that a real clock needs no time. */
const FAST = { EXT_RETRY_BACKOFF_MS: '0' };
const ONCE = { EXT_RETRY_MAX_ATTEMPTS: '1' };

let server: ModelServer;

function model(provider: string, clock: Clock, env: Record<string, string> = {}): ChatModel {
  const settings = loadSettings({ ...server.env, LLM_PROVIDER: provider, ...env }, [modelSettings]);
  return createChatModel(settings.get(modelSettings), clock, new SystemIds());
}

function open(chat: ChatModel, signal = new AbortController().signal, maxOutputTokens?: number) {
  const options = { signal, requestId: 'r1', ...(maxOutputTokens === undefined ? {} : { maxOutputTokens }) };
  return chat.stream(REQUEST, options)[Symbol.asyncIterator]();
}

/** Everything until the end, and the error there, if any. */
async function drain(events: AsyncIterator<ChatEvent>): Promise<{ events: ChatEvent[]; error?: unknown }> {
  const seen: ChatEvent[] = [];
  try {
    for (let next = await events.next(); next.done !== true; next = await events.next()) seen.push(next.value);
    return { events: seen };
  } catch (error) {
    return { events: seen, error };
  }
}

const codeOf = (error: unknown): string => {
  if (!(error instanceof AppError)) throw error;
  // What a provider says may hold prompts, keys or internal addresses.
  expect(error.message).not.toContain(PROVIDER_TEXT);
  return error.code;
};

const words = (...texts: string[]): ChatEvent[] => texts.map((text) => ({ type: 'delta', text }));

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

interface Provider {
  readonly name: string;
  start(): Promise<ModelServer>;
  readonly auth: string;
  readonly timeout: string;
  promptOf(request: ReceivedRequest): unknown;
  readonly prompt: unknown;
  limitOf(request: ReceivedRequest): unknown;
  readonly credential: string;
}

const PROVIDERS: Provider[] = [
  {
    name: 'openai',
    start: startOpenAiServer,
    auth: 'LLM_AUTH_ERROR',
    timeout: 'LLM_TIMEOUT',
    promptOf: ({ body }) => (body as { messages: unknown }).messages,
    prompt: [
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'Hi' },
      { role: 'assistant', content: 'Hello.' },
      { role: 'user', content: 'And now?' },
    ],
    limitOf: ({ body }) => (body as { max_tokens: unknown }).max_tokens,
    credential: 'Bearer test-key',
  },
  {
    name: 'vertex',
    start: startVertexServer,
    auth: 'VERTEX_AUTH_ERROR',
    timeout: 'VERTEX_TIMEOUT',
    promptOf: ({ body }) => {
      const { systemInstruction, contents } = body as Record<string, unknown>;
      return { systemInstruction, contents };
    },
    prompt: {
      systemInstruction: { role: 'user', parts: [{ text: 'Be brief.' }] },
      contents: [
        { role: 'user', parts: [{ text: 'Hi' }] },
        { role: 'model', parts: [{ text: 'Hello.' }] },
        { role: 'user', parts: [{ text: 'And now?' }] },
      ],
    },
    limitOf: ({ body }) =>
      (body as { generationConfig: { maxOutputTokens: unknown } }).generationConfig.maxOutputTokens,
    credential: 'Bearer test-token',
  },
];

describe.each(PROVIDERS)('$name', (provider) => {
  beforeEach(async () => {
    server = await provider.start();
  });
  afterEach(() => server.close());

  it('streams deltas, then the usage that the provider counted', async () => {
    const { events, error } = await drain(open(model(provider.name, new SystemClock())));
    expect(error).toBeUndefined();
    expect(events).toEqual([...words('Hello', ' world'), { type: 'usage', inputTokens: 11, outputTokens: 7 }]);
  });

  it.each([
    [12.5, 7],
    [-1, 7],
    [2 ** 31, 7],
    ['11', 7],
  ])('has no usage where the provider counted %j and %j', async (input, output) => {
    server.http.next(server.replies.counting(input, output, 'Hello', ' world'));
    const { events, error } = await drain(open(model(provider.name, new SystemClock())));
    expect([events, error]).toEqual([words('Hello', ' world'), undefined]);
  });

  it('sends the prompt with its roles, the output limit and the credential', async () => {
    await drain(open(model(provider.name, new SystemClock()), undefined, 77));
    const [request] = server.http.requests;
    if (request === undefined) throw new Error('no request');
    expect(provider.promptOf(request)).toEqual(provider.prompt);
    expect(provider.limitOf(request)).toBe(77);
    expect(request.headers['authorization']).toBe(provider.credential);
  });

  it.each([401, 403])('names refused credentials, at once: %d', async (status) => {
    server.http.next(server.replies.status(status));
    const { error } = await drain(open(model(provider.name, new SystemClock(), FAST)));
    expect(codeOf(error)).toBe(provider.auth);
    expect(server.http.requests).toHaveLength(1);
  });

  it('does not repeat a request that is refused', async () => {
    server.http.next(server.replies.status(400));
    const { error } = await drain(open(model(provider.name, new SystemClock(), FAST)));
    expect(codeOf(error)).toBe('LLM_ERROR');
    expect(server.http.requests).toHaveLength(1);
  });

  it.each([429, 500, 503])('repeats once before the first token: %d', async (status) => {
    server.http.next(server.replies.status(status));
    const { events, error } = await drain(open(model(provider.name, new SystemClock(), FAST)));
    expect(error).toBeUndefined();
    expect(events.slice(0, 2)).toEqual(words('Hello', ' world'));
    expect(server.http.requests).toHaveLength(2);
  });

  it('gives up after the second attempt', async () => {
    server.http.next(server.replies.status(500), server.replies.status(500));
    const { error } = await drain(open(model(provider.name, new SystemClock(), FAST)));
    expect(codeOf(error)).toBe('LLM_ERROR');
    expect(server.http.requests).toHaveLength(2);
  });

  // A second attempt after the first token would write the beginning of the answer twice.
  it.each(['cut', 'unfinished', 'errorEvent'] as const)('fails without another attempt: %s', async (kind) => {
    server.http.next(server.replies[kind]('Half', ' an'));
    const { events, error } = await drain(open(model(provider.name, new SystemClock(), FAST)));
    expect(events.slice(0, 1)).toEqual(words('Half'));
    expect(codeOf(error)).toBe('LLM_ERROR');
    expect(server.http.requests).toHaveLength(1);
  });

  it('names a filtered answer', async () => {
    server.http.next(server.replies.filtered('Half'));
    const { events, error } = await drain(open(model(provider.name, new SystemClock(), FAST)));
    expect(events).toEqual(words('Half'));
    expect(codeOf(error)).toBe('LLM_CONTENT_FILTERED');
  });

  it('reports a server that is not there', async () => {
    const gone = await ScriptedServer.start(() => undefined);
    const { url } = gone;
    await gone.close();
    const env = { ...FAST, OPENAI_BASE_URL: `${url}/v1`, VERTEX_BASE_URL: url };
    const chat = model(provider.name, new SystemClock(), env);
    expect(codeOf((await drain(open(chat))).error)).toBe('LLM_ERROR');
  });

  it('ends an attempt without a first token, closes it, and tries once more', async () => {
    const clock = new ManualClock();
    server.http.next(server.replies.stall());
    const result = drain(open(model(provider.name, clock, FAST)));
    await server.http.until(({ requests }) => requests.length === 1);
    clock.advance(15_000);
    await server.http.until(({ abandoned }) => abandoned === 1);
    await settle();
    clock.advance(1);
    expect((await result).events.slice(0, 2)).toEqual(words('Hello', ' world'));
    expect(server.http.requests).toHaveLength(2);
  });

  it('ends a stream that falls silent', async () => {
    const clock = new ManualClock();
    server.http.next(server.replies.stall('Half'));
    const events = open(model(provider.name, clock, ONCE));
    await expect(events.next()).resolves.toEqual({ done: false, value: { type: 'delta', text: 'Half' } });
    const rest = drain(events);
    await settle();
    clock.advance(29_999);
    await settle();
    expect(server.http.abandoned).toBe(0);
    clock.advance(1);
    expect(codeOf((await rest).error)).toBe(provider.timeout);
    await server.http.until(({ abandoned }) => abandoned === 1);
  });

  // Checking the deadline between chunks only would hang for ever on an upstream that sends none.
  it('ends at the total deadline though no chunk ever arrives', async () => {
    const clock = new ManualClock();
    server.http.next(server.replies.stall(), server.replies.stall());
    const result = drain(open(model(provider.name, clock, { LLM_FIRST_TOKEN_TIMEOUT_MS: '600000' })));
    await server.http.until(({ requests }) => requests.length === 1);
    clock.advance(90_000);
    expect(codeOf((await result).error)).toBe(provider.timeout);
    await server.http.until(({ abandoned }) => abandoned === 1);
    expect(server.http.requests).toHaveLength(1);
  });

  it('closes the upstream request and throws the reason when aborted between tokens', async () => {
    server.http.next(server.replies.stall('Half'));
    const controller = new AbortController();
    const events = open(model(provider.name, new SystemClock()), controller.signal);
    await events.next();
    const next = events.next();
    controller.abort(new Error('client left'));
    await expect(next).rejects.toThrow('client left');
    await server.http.until(({ abandoned }) => abandoned === 1);
  });

  it('closes the upstream request when aborted before the first token', async () => {
    server.http.next(server.replies.stall());
    const controller = new AbortController();
    const next = open(model(provider.name, new SystemClock()), controller.signal).next();
    const outcome = expect(next).rejects.toThrow('client left');
    await server.http.until(({ requests }) => requests.length === 1);
    controller.abort(new Error('client left'));
    await outcome;
    await server.http.until(({ abandoned }) => abandoned === 1);
    expect(server.http.requests).toHaveLength(1);
  });

  it('makes no call for a caller who has already left', async () => {
    const left = AbortSignal.abort(new Error('client left'));
    await expect(open(model(provider.name, new SystemClock()), left).next()).rejects.toThrow('client left');
    expect(server.http.requests).toHaveLength(0);
  });

  it('closes the upstream request when the reader stops early', async () => {
    server.http.next(server.replies.stall('Half'));
    const events = open(model(provider.name, new SystemClock()));
    await events.next();
    await events.return?.();
    await server.http.until(({ abandoned }) => abandoned === 1);
  });

  it('stops calling after five failures in a row, and tries again after the wait', async () => {
    const clock = new ManualClock();
    const chat = model(provider.name, clock, ONCE);
    for (let n = 0; n < 5; n += 1) {
      server.http.next(server.replies.status(500));
      expect(codeOf((await drain(open(chat))).error)).toBe('LLM_ERROR');
    }
    const { error } = await drain(open(chat));
    expect(codeOf(error)).toBe('LLM_UNAVAILABLE');
    expect((error as AppError).headers).toEqual({ 'Retry-After': '30' });
    expect(server.http.requests).toHaveLength(5);
    clock.advance(30_000);
    expect((await drain(open(chat))).error).toBeUndefined();
    expect((await drain(open(chat))).error).toBeUndefined();
  });

  it('does not count refusals, filtered answers and aborts against the provider', async () => {
    const chat = model(provider.name, new SystemClock(), { ...ONCE, CB_FAILURE_THRESHOLD: '1' });
    for (const reply of [400, 401, 403, 404, 429].map((status) => server.replies.status(status))) {
      server.http.next(reply);
      await drain(open(chat));
    }
    server.http.next(server.replies.filtered());
    await drain(open(chat));
    server.http.next(server.replies.stall('Half'));
    const controller = new AbortController();
    const events = open(chat, controller.signal);
    await events.next();
    controller.abort();
    await drain(events);
    expect((await drain(open(chat))).error).toBeUndefined();
  });
});
