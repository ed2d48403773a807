export interface ChatMessage {
  readonly role: 'user' | 'assistant';
  readonly content: string;
}

export interface ChatPassage {
  /** The number by which an answer cites it, from 1. */
  readonly index: number;
  readonly source: string;
  readonly text: string;
}

export interface ChatRequest {
  readonly system: string;
  /** The complete prompt; the last one is the user's turn with its context block. */
  readonly messages: readonly ChatMessage[];
  /** The user's turn once more, as parts. Only the extractive model reads `question` and `passages`. */
  readonly question: string;
  readonly passages: readonly ChatPassage[];
}

export interface ChatOptions {
  /** Closes the upstream request; the iterator then throws the signal's reason. */
  readonly signal: AbortSignal;
  /** Limit of the answer, in the provider's tokens. The fake and the extractive model ignore it. */
  readonly maxOutputTokens?: number;
  /** Sent upstream where the provider takes one, to find a call in its logs. */
  readonly requestId: string;
}

export type ChatEvent =
  | { readonly type: 'delta'; readonly text: string }
  /** The provider's own count; at most one, at the end. Absent for models that count no tokens. */
  | { readonly type: 'usage'; readonly inputTokens: number; readonly outputTokens: number };

/**
 * Writes one answer as a stream.
 *
 * Every failure is an `AppError` of `modelErrors`. A started answer is never restarted. Ending the iteration early
 * closes the upstream request.
 */
export abstract class ChatModel {
  abstract readonly provider: string;
  abstract readonly model: string;
  abstract stream(request: ChatRequest, options: ChatOptions): AsyncIterable<ChatEvent>;
}
