import type { Reply, ScriptedServer } from './scripted-server.js';

/** The replies of a model provider, written in its own wire format. */
export interface ModelReplies {
  /** A complete answer with usage: 11 tokens in, 7 out. */
  answer(...words: string[]): Reply;
  /** A complete answer with a usage of the test. */
  counting(inputTokens: unknown, outputTokens: unknown, ...words: string[]): Reply;
  /** The words, then silence on an open connection; without words not even headers. */
  stall(...words: string[]): Reply;
  /** The words, then a dropped connection. */
  cut(...words: string[]): Reply;
  /** The words, then a proper end of the response, but no finish reason. */
  unfinished(...words: string[]): Reply;
  /** The words, then an error event inside the stream. */
  errorEvent(...words: string[]): Reply;
  /** The words, then the content filter. */
  filtered(...words: string[]): Reply;
  /** An error response with the provider's body. */
  status(status: number, headers?: Record<string, string>): Reply;
  /** One vector per input. */
  embeddings(dimensions?: number): Reply;
}

export interface ModelServer {
  readonly http: ScriptedServer;
  readonly replies: ModelReplies;
  /** Environment that points the platform at this server. */
  readonly env: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

/** Text that providers put into their errors and that must never reach a caller. */
export const PROVIDER_TEXT = 'provider-internal-text';
