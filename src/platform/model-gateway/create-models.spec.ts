import { describe, expect, it } from '@jest/globals';
import { isAppError } from '../../kernel/errors.js';
import { SystemIds } from '../../kernel/ids.js';
import { loadSettings, SettingsError } from '../../kernel/settings.js';
import { ManualClock } from '../../kernel/time.js';
import type { ChatEvent } from './chat-model.js';
import { createChatModel, createEmbeddingModel } from './create-models.js';
import { NOTHING_FITS } from './extractive.js';
import { modelSettings, resolveChatProvider } from './model-gateway.settings.js';
import type { ModelSettings } from './model-gateway.settings.js';

const settings = (env: Record<string, string>): ModelSettings => loadSettings(env, [modelSettings]).get(modelSettings);

const VERTEX = { GOOGLE_CLOUD_PROJECT: 'p', GOOGLE_CLOUD_LOCATION: 'global', GEMINI_MODEL: 'g' };

function stream(env: Record<string, string>, clock = new ManualClock(), signal = new AbortController().signal) {
  const passages = [{ index: 1, source: 's', text: 'The office opens at eight. Cats sleep.' }];
  const request = { system: '', messages: [], question: 'When does the office open?', passages };
  return createChatModel(settings(env), clock, new SystemIds())
    .stream(request, { signal, requestId: 'r1' })
    [Symbol.asyncIterator]();
}

async function texts(events: AsyncIterator<ChatEvent>): Promise<string[]> {
  const seen: string[] = [];
  for (let next = await events.next(); next.done !== true; next = await events.next()) {
    if (next.value.type === 'delta') seen.push(next.value.text);
  }
  return seen;
}

describe('resolveChatProvider', () => {
  it.each([
    [{}, 'extractive'],
    [{ GOOGLE_CLOUD_PROJECT: 'p', GOOGLE_CLOUD_LOCATION: 'global' }, 'extractive'],
    [VERTEX, 'vertex'],
    [{ OPENAI_API_KEY: 'k' }, 'openai'],
    [{ OPENAI_BASE_URL: 'http://localhost/v1' }, 'openai'],
    [{ ...VERTEX, OPENAI_API_KEY: 'k' }, 'vertex'],
    [{ ...VERTEX, LLM_PROVIDER: 'fake' }, 'fake'],
    [{ LLM_PROVIDER: 'vertex' }, 'vertex'],
  ])('%j → %s', (env, provider) => {
    expect(resolveChatProvider(settings(env))).toBe(provider);
  });

  it('refuses an unknown provider at boot', () => {
    expect(() => settings({ LLM_PROVIDER: 'gpt' })).toThrow(SettingsError);
  });
});

describe('createChatModel', () => {
  it('fake: five words, each with a trailing space', async () => {
    await expect(texts(stream({ LLM_PROVIDER: 'fake' }))).resolves.toEqual(['This ', 'is ', 'a ', 'fake ', 'reply. ']);
  });

  it('fake: another response and a pause between words', async () => {
    const clock = new ManualClock();
    const env = { LLM_PROVIDER: 'fake', FAKE_LLM_RESPONSE: ' one  two ', FAKE_LLM_DELAY_MS: '1000' };
    const events = stream(env, clock);
    await expect(events.next()).resolves.toEqual({ done: false, value: { type: 'delta', text: 'one ' } });
    const second = events.next();
    await Promise.resolve();
    clock.advance(1000);
    await expect(second).resolves.toEqual({ done: false, value: { type: 'delta', text: 'two ' } });
  });

  it('fake: ends a pause with the abort reason', async () => {
    const controller = new AbortController();
    const events = stream({ LLM_PROVIDER: 'fake', FAKE_LLM_DELAY_MS: '1000' }, new ManualClock(), controller.signal);
    await events.next();
    const second = events.next();
    controller.abort(new Error('client left'));
    await expect(second).rejects.toThrow('client left');
  });

  it('extractive: quotes word by word', async () => {
    const words = await texts(stream({}));
    expect(words.length).toBeGreaterThan(3);
    expect(words.join('')).toBe('The office opens at eight. [1]');
  });

  it('extractive: says plainly when nothing fits', async () => {
    const model = createChatModel(settings({}), new ManualClock(), new SystemIds());
    const request = { system: '', messages: [], question: 'Why?', passages: [] };
    const events = model.stream(request, { signal: new AbortController().signal, requestId: 'r1' });
    expect((await texts(events[Symbol.asyncIterator]())).join('')).toBe(NOTHING_FITS);
  });

  it('openai without a key: says what is missing', async () => {
    const error: unknown = await stream({ LLM_PROVIDER: 'openai' })
      .next()
      .catch((thrown: unknown) => thrown);
    expect(isAppError(error, 'LLM_CONFIG_MISSING') && error.details).toEqual({ missing: ['OPENAI_API_KEY'] });
  });
});

describe('createEmbeddingModel', () => {
  it.each([
    [{}, 'fake-v1'],
    [{ EMBEDDING_PROVIDER: 'openai' }, 'openai/text-embedding-3-small'],
    [{ EMBEDDING_PROVIDER: 'vertex', VERTEX_EMBEDDING_MODEL: 'text-embedding-005' }, 'vertex/text-embedding-005'],
  ])('%j has the id %s', (env, id) => {
    const model = createEmbeddingModel(settings(env), new ManualClock(), new SystemIds());
    expect([model.id, model.dimensions]).toEqual([id, 768]);
  });

  // A silent fallback would fill a corpus with vectors that compare with nothing.
  it.each(['openai', 'vertex'])('%s without configuration is an error, not the fake', async (provider) => {
    const model = createEmbeddingModel(settings({ EMBEDDING_PROVIDER: provider }), new ManualClock(), new SystemIds());
    await expect(model.embed(['text'], 'query')).rejects.toMatchObject({ code: 'EMBEDDING_CONFIG_MISSING' });
  });
});
