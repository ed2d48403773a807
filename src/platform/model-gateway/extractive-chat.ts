import { ChatModel } from './chat-model.js';
import type { ChatEvent, ChatOptions, ChatRequest } from './chat-model.js';
import { composeAnswer } from './extractive.js';

/** Answers with sentences of the passages, verbatim, each with its `[n]`. Needs no credentials and no network. */
export class ExtractiveChatModel extends ChatModel {
  readonly provider = 'extractive';
  readonly model = 'extractive-v1';

  async *stream(request: ChatRequest, { signal }: ChatOptions): AsyncIterable<ChatEvent> {
    for (const [text] of composeAnswer(request.question, request.passages).matchAll(/\s*\S+/gu)) {
      signal.throwIfAborted();
      yield { type: 'delta', text };
    }
  }
}
