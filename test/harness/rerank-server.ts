import { PROVIDER_TEXT } from './model-server.js';
import { ScriptedServer, sendJson } from './scripted-server.js';
import type { Reply } from './scripted-server.js';

export interface RerankServer {
  readonly http: ScriptedServer;
  /** Environment that points the platform at this server. */
  readonly env: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

/** A local server that speaks the rerank API. A text is as relevant as `score` says, by default its share of the words of the query. */
export async function startRerankServer(
  score: (query: string, text: string) => number = sharedWords,
): Promise<RerankServer> {
  const http = await ScriptedServer.start((response, request) => {
    const { query, documents } = request.body as { query: string; documents: string[] };
    // The best first: the index, not the order, says which text a score belongs to.
    const results = documents
      .map((text, index) => ({ index, relevance_score: score(query, text) }))
      .sort((a, b) => b.relevance_score - a.relevance_score);
    sendJson(response, 200, { id: 'r1', results, meta: { billed_units: { search_units: 1 } } });
  });
  return {
    http,
    env: {
      RERANKER_PROVIDER: 'http',
      RERANKER_URL: `${http.url}/v1/rerank`,
      RERANKER_API_KEY: 'test-key',
      RERANKER_MODEL: 'test-reranker',
    },
    close: () => http.close(),
  };
}

export const rerankReplies = {
  /** Whatever scores, by index of the text. */
  scores:
    (...scores: readonly (readonly [index: number, score: unknown])[]): Reply =>
    (response) =>
      sendJson(response, 200, { results: scores.map(([index, relevance_score]) => ({ index, relevance_score })) }),
  body:
    (text: string): Reply =>
    (response) => {
      response.writeHead(200, { 'Content-Type': 'application/json' }).end(text);
    },
  status:
    (status: number, headers: Record<string, string> = {}): Reply =>
    (response) =>
      sendJson(response, status, { message: PROVIDER_TEXT }, headers),
  /** Never answers. */
  stall: (): Reply => () => undefined,
  /** Drops the connection. */
  hangUp: (): Reply => (response) => response.destroy(),
};

function sharedWords(query: string, text: string): number {
  const words = query.toLowerCase().match(/\p{L}+/gu) ?? [];
  const has = text.toLowerCase();
  return words.filter((word) => has.includes(word)).length / Math.max(1, words.length);
}
