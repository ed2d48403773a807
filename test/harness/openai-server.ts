import { PROVIDER_TEXT } from './model-server.js';
import type { ModelReplies, ModelServer } from './model-server.js';
import { cut, ScriptedServer, sendJson } from './scripted-server.js';
import type { Reply } from './scripted-server.js';

/** A local server that speaks OpenAI's Chat Completions and Embeddings. */
export async function startOpenAiServer(): Promise<ModelServer> {
  const http = await ScriptedServer.start(openAiReplies.answer('Hello', ' world'));
  return {
    http,
    replies: openAiReplies,
    env: { OPENAI_BASE_URL: `${http.url}/v1`, OPENAI_API_KEY: 'test-key', OPENAI_MODEL: 'test-model' },
    close: () => http.close(),
  };
}

const event = (data: unknown): string => `data: ${JSON.stringify(data)}\n\n`;
const chunk = (choices: unknown[], more = {}): string =>
  event({ id: 'c1', object: 'chat.completion.chunk', created: 1, model: 'test-model', choices, ...more });
const finish = (reason: string): string => chunk([{ index: 0, delta: {}, finish_reason: reason }]);
const start = chunk([{ index: 0, delta: { role: 'assistant', content: '' }, finish_reason: null }]);
const deltas = (words: readonly string[]): string =>
  start + words.map((content) => chunk([{ index: 0, delta: { content }, finish_reason: null }])).join('');

const stream =
  (text: string): Reply =>
  (response) => {
    response.writeHead(200, { 'Content-Type': 'text/event-stream' }).end(text);
  };

const openAiReplies: ModelReplies = {
  answer: (...words) => openAiReplies.counting(11, 7, ...words),
  counting: (prompt_tokens, completion_tokens, ...words) =>
    stream(
      deltas(words) +
        finish('stop') +
        chunk([], { usage: { prompt_tokens, completion_tokens, total_tokens: 18 } }) +
        'data: [DONE]\n\n',
    ),
  stall:
    (...words) =>
    (response) => {
      if (words.length > 0) response.writeHead(200, { 'Content-Type': 'text/event-stream' }).write(deltas(words));
    },
  cut:
    (...words) =>
    (response) => {
      cut(response.writeHead(200, { 'Content-Type': 'text/event-stream' }), deltas(words));
    },
  unfinished: (...words) => stream(deltas(words)),
  errorEvent: (...words) => stream(deltas(words) + event({ error: { message: PROVIDER_TEXT, type: 'server_error' } })),
  filtered: (...words) => stream(`${deltas(words)}${finish('content_filter')}data: [DONE]\n\n`),
  status:
    (status, headers = {}) =>
    (response) =>
      sendJson(response, status, { error: { message: PROVIDER_TEXT, type: 'error', code: null } }, headers),
  embeddings:
    (dimensions = 768) =>
    (response, request) => {
      const { input } = request.body as { input: string[] };
      // Reversed: the index, not the order, says which text a vector belongs to.
      const data = input
        .map((text, index) => ({ object: 'embedding', index, embedding: vector(text, dimensions) }))
        .reverse();
      sendJson(response, 200, { object: 'list', data, model: 'm', usage: { prompt_tokens: 1, total_tokens: 1 } });
    },
};

/** The text's length, then zeros. */
export function vector(text: string, dimensions: number): number[] {
  return [text.length, ...new Array<number>(dimensions - 1).fill(0)];
}
