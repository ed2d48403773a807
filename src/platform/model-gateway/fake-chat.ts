import type { Clock } from '../../kernel/time.js';
import { ChatModel } from './chat-model.js';
import type { ChatEvent, ChatOptions, ChatRequest } from './chat-model.js';

/** Answers one fixed sentence, word by word; each word ends with a space, the last one too. */
export class FakeChatModel extends ChatModel {
  readonly provider = 'fake';
  readonly model = 'fake-v1';

  constructor(
    private readonly response: string,
    private readonly delayMs: number,
    private readonly clock: Clock,
  ) {
    super();
  }

  async *stream(_request: ChatRequest, { signal }: ChatOptions): AsyncIterable<ChatEvent> {
    const words = this.response.split(/\s+/).filter((word) => word !== '');
    for (const [position, word] of words.entries()) {
      if (position > 0 && this.delayMs > 0) await this.clock.sleep(this.delayMs, signal);
      signal.throwIfAborted();
      yield { type: 'delta', text: `${word} ` };
    }
  }
}
