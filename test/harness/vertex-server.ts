import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PROVIDER_TEXT } from './model-server.js';
import type { ModelReplies, ModelServer } from './model-server.js';
import { vector } from './openai-server.js';
import { cut, ScriptedServer, sendJson } from './scripted-server.js';
import type { Reply } from './scripted-server.js';

export interface VertexServer extends ModelServer {
  /** Google's token service, to which the credentials file points. */
  readonly tokens: ScriptedServer;
}

/**
 * A local server that speaks Vertex AI's Gemini and text embeddings, and a token service beside it. The credentials
 * are those of workload identity federation, so that Google's own authentication code runs.
 */
export async function startVertexServer(): Promise<VertexServer> {
  const http = await ScriptedServer.start(vertexReplies.answer('Hello', ' world'));
  const tokens = await ScriptedServer.start((response) =>
    sendJson(response, 200, {
      access_token: 'test-token',
      issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      token_type: 'Bearer',
      expires_in: 3600,
    }),
  );
  const folder = await mkdtemp(join(tmpdir(), 'vertex-credentials-'));
  const credentials = join(folder, 'credentials.json');
  const subjectToken = join(folder, 'subject-token');
  await writeFile(subjectToken, 'subject');
  await writeFile(
    credentials,
    JSON.stringify({
      type: 'external_account',
      audience: '//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/pool/providers/test',
      subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
      token_url: `${tokens.url}/v1/token`,
      credential_source: { file: subjectToken },
    }),
  );
  return {
    http,
    tokens,
    replies: vertexReplies,
    env: {
      VERTEX_BASE_URL: http.url,
      GOOGLE_APPLICATION_CREDENTIALS: credentials,
      GOOGLE_CLOUD_PROJECT: 'test-project',
      GOOGLE_CLOUD_LOCATION: 'europe-west4',
      GEMINI_MODEL: 'gemini-test',
    },
    close: async () => {
      await Promise.all([http.close(), tokens.close(), rm(folder, { recursive: true })]);
    },
  };
}

const event = (data: unknown): string => `data: ${JSON.stringify(data)}\r\n\r\n`;
const candidate = (text: string, finishReason?: string): string =>
  event({ candidates: [{ content: { role: 'model', parts: [{ text }] }, finishReason }] });
const deltas = (words: readonly string[]): string => words.map((word) => candidate(word)).join('');

const stream =
  (text: string): Reply =>
  (response) => {
    response.writeHead(200, { 'Content-Type': 'text/event-stream' }).end(text);
  };

const vertexReplies: ModelReplies = {
  answer: (...words) => vertexReplies.counting(11, 5, ...words),
  counting: (promptTokenCount, candidatesTokenCount, ...words) =>
    stream(
      deltas(words) +
        event({
          candidates: [{ content: { role: 'model', parts: [{ text: '' }] }, finishReason: 'STOP' }],
          usageMetadata: { promptTokenCount, candidatesTokenCount, thoughtsTokenCount: 2, totalTokenCount: 18 },
        }),
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
  errorEvent: (...words) =>
    stream(deltas(words) + event({ error: { code: 500, message: PROVIDER_TEXT, status: 'INTERNAL' } })),
  filtered: (...words) => stream(deltas(words) + event({ candidates: [{ finishReason: 'SAFETY' }] })),
  status:
    (status, headers = {}) =>
    (response) =>
      sendJson(response, status, { error: { code: status, message: PROVIDER_TEXT, status: 'ERROR' } }, headers),
  embeddings:
    (dimensions = 768) =>
    (response, request) => {
      const { instances } = request.body as { instances: { content: string }[] };
      const predictions = instances.map(({ content }) => ({
        embeddings: { values: vector(content, dimensions), statistics: { token_count: 1, truncated: false } },
      }));
      sendJson(response, 200, { predictions });
    },
};
