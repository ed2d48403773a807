import type { OpenAI } from 'openai';
import type { AppError } from '../../kernel/errors.js';
import type { ChatEvent, ChatOptions, ChatRequest } from './chat-model.js';
import type { ChatTransport } from './guarded-chat.js';
import { modelErrors } from './model-gateway.errors.js';
import { missingOpenAiSettings } from './model-gateway.settings.js';
import type { ModelSettings } from './model-gateway.settings.js';
import type { OpenAiClient } from './openai-client.js';
import { UpstreamFailure } from './upstream-failure.js';

type Chunk = OpenAI.Chat.Completions.ChatCompletionChunk;

/** Chat Completions of any OpenAI-compatible server. */
export class OpenAiChat implements ChatTransport {
  readonly provider = 'openai';
  readonly model: string;
  readonly errors = {
    auth: modelErrors.LLM_AUTH_ERROR,
    timeout: modelErrors.LLM_TIMEOUT,
    filtered: modelErrors.LLM_CONTENT_FILTERED,
  };

  constructor(
    private readonly settings: ModelSettings,
    private readonly client: OpenAiClient,
  ) {
    this.model = settings.openaiModel;
  }

  configurationError(): AppError | undefined {
    const missing = missingOpenAiSettings(this.settings);
    return missing.length === 0 ? undefined : modelErrors.LLM_CONFIG_MISSING({ details: { missing } });
  }

  async open(request: ChatRequest, options: ChatOptions): Promise<AsyncIterable<ChatEvent>> {
    const client = await this.client.get();
    try {
      const chunks = await client.chat.completions.create(
        {
          model: this.model,
          messages: [{ role: 'system', content: request.system }, ...request.messages],
          stream: true,
          stream_options: { include_usage: true },
          ...this.outputLimit(options.maxOutputTokens),
        },
        { signal: options.signal, headers: { 'X-Client-Request-Id': options.requestId } },
      );
      return this.events(chunks);
    } catch (error) {
      throw this.client.failure(error);
    }
  }

  /** OpenAI's newer models refuse `max_tokens`; many compatible servers know nothing else. */
  private outputLimit(tokens: number | undefined): { max_tokens?: number; max_completion_tokens?: number } {
    if (tokens === undefined) return {};
    return this.settings.openaiBaseUrl === undefined ? { max_completion_tokens: tokens } : { max_tokens: tokens };
  }

  private async *events(chunks: AsyncIterable<Chunk>): AsyncIterable<ChatEvent> {
    let finished = false;
    try {
      for await (const chunk of chunks) {
        // Servers of one's own leave out what they have nothing for.
        const { choices = [], usage } = chunk as Partial<Chunk>;
        const choice = choices[0];
        // Servers differ in whether they send null, nothing or an empty string where there is no text.
        const text = [choice?.delta.content, choice?.delta.refusal].find(
          (part) => typeof part === 'string' && part !== '',
        );
        if (typeof text === 'string') yield { type: 'delta', text };
        if (choice?.finish_reason === 'content_filter') throw new UpstreamFailure('filtered');
        finished ||= typeof choice?.finish_reason === 'string';
        if (usage !== undefined && usage !== null) {
          const { prompt_tokens: inputTokens, completion_tokens: outputTokens } = usage;
          yield { type: 'usage', inputTokens, outputTokens };
        }
      }
    } catch (error) {
      throw this.client.failure(error);
    }
    // Without a finish reason the connection ended early; the text so far must not pass for an answer.
    if (!finished) throw new UpstreamFailure('unavailable');
  }
}
