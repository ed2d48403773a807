import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { sendJson } from '../../../test/harness/scripted-server.js';
import { startVertexServer } from '../../../test/harness/vertex-server.js';
import type { VertexServer } from '../../../test/harness/vertex-server.js';
import { AppError } from '../../kernel/errors.js';
import { SystemIds } from '../../kernel/ids.js';
import { loadSettings } from '../../kernel/settings.js';
import { SystemClock } from '../../kernel/time.js';
import type { ChatEvent } from './chat-model.js';
import { createChatModel } from './create-models.js';
import { modelSettings } from './model-gateway.settings.js';

let server: VertexServer;
beforeEach(async () => {
  server = await startVertexServer();
});
afterEach(() => server.close());

async function run(env: Record<string, string>): Promise<{ events: ChatEvent[]; error?: AppError }> {
  const settings = loadSettings({ LLM_PROVIDER: 'vertex', EXT_RETRY_MAX_ATTEMPTS: '1', ...env }, [modelSettings]);
  const model = createChatModel(settings.get(modelSettings), new SystemClock(), new SystemIds());
  const request = { system: 's', messages: [{ role: 'user' as const, content: 'q' }], question: 'q', passages: [] };
  const events: ChatEvent[] = [];
  try {
    const options = { signal: new AbortController().signal, requestId: 'r1' };
    for await (const event of model.stream(request, options)) events.push(event);
    return { events };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return { events, error };
  }
}

const sse = (...events: unknown[]): string => events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join('');

describe('Vertex AI chat', () => {
  it('lists what is not configured', async () => {
    const { error } = await run({ GOOGLE_CLOUD_LOCATION: 'global' });
    expect(error?.code).toBe('VERTEX_CONFIG_MISSING');
    expect(error?.message).toBe('Vertex AI is not configured: set GOOGLE_CLOUD_PROJECT, GEMINI_MODEL.');
    expect(error?.details).toEqual({ missing: ['GOOGLE_CLOUD_PROJECT', 'GEMINI_MODEL'] });
  });

  it('calls the model of the project and location', async () => {
    await run(server.env);
    expect(server.http.requests[0]?.path).toContain(
      '/projects/test-project/locations/europe-west4/publishers/google/models/gemini-test:streamGenerateContent',
    );
  });

  it('names credentials that the token service refuses', async () => {
    server.tokens.next((response) => sendJson(response, 400, { error: 'invalid_grant', error_description: 'no' }));
    const { error } = await run(server.env);
    expect(error?.code).toBe('VERTEX_AUTH_ERROR');
    expect(server.http.requests).toHaveLength(0);
  });

  it('names a credentials file that is not there', async () => {
    const { error } = await run({ ...server.env, GOOGLE_APPLICATION_CREDENTIALS: '/does/not/exist.json' });
    expect(error?.code).toBe('VERTEX_AUTH_ERROR');
  });

  it('names a question that the content filter blocks', async () => {
    server.http.next((response) => {
      response.writeHead(200, { 'Content-Type': 'text/event-stream' });
      response.end(sse({ promptFeedback: { blockReason: 'SAFETY' } }));
    });
    const { events, error } = await run(server.env);
    expect(events).toEqual([]);
    expect(error?.code).toBe('LLM_CONTENT_FILTERED');
  });

  it('leaves thoughts out of the answer', async () => {
    const parts = [{ text: 'Let me see.', thought: true }, { text: 'Yes.' }];
    server.http.next((response) => {
      response.writeHead(200, { 'Content-Type': 'text/event-stream' });
      response.end(sse({ candidates: [{ content: { role: 'model', parts }, finishReason: 'STOP' }] }));
    });
    expect(await run(server.env)).toEqual({ events: [{ type: 'delta', text: 'Yes.' }] });
  });
});
