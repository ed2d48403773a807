import type { GenerateContentResponse } from '@google/genai';
import type { AppError } from '../../kernel/errors.js';
import type { ChatEvent, ChatOptions, ChatRequest } from './chat-model.js';
import type { ChatTransport } from './guarded-chat.js';
import { modelErrors } from './model-gateway.errors.js';
import { missingVertexChatSettings } from './model-gateway.settings.js';
import type { ModelSettings } from './model-gateway.settings.js';
import { UpstreamFailure } from './upstream-failure.js';
import { vertexCallFailure, vertexStreamFailure } from './vertex-client.js';
import type { VertexClient } from './vertex-client.js';

/** Finish reasons with which Gemini withholds text. Compared as text: the library loads only on first use. */
const FILTERED: ReadonlySet<string> = new Set(['SAFETY', 'RECITATION', 'BLOCKLIST', 'PROHIBITED_CONTENT', 'SPII']);

/** Gemini on Vertex AI. */
export class VertexChat implements ChatTransport {
  readonly provider = 'vertex';
  readonly model: string;
  readonly errors = {
    auth: modelErrors.VERTEX_AUTH_ERROR,
    timeout: modelErrors.VERTEX_TIMEOUT,
    filtered: modelErrors.LLM_CONTENT_FILTERED,
  };

  constructor(
    private readonly settings: ModelSettings,
    private readonly client: VertexClient,
  ) {
    this.model = settings.geminiModel ?? 'unset';
  }

  configurationError(): AppError | undefined {
    const missing = missingVertexChatSettings(this.settings);
    if (missing.length === 0) return undefined;
    return modelErrors.VERTEX_CONFIG_MISSING({
      message: `Vertex AI is not configured: set ${missing.join(', ')}.`,
      details: { missing },
    });
  }

  async open(request: ChatRequest, options: ChatOptions): Promise<AsyncIterable<ChatEvent>> {
    const client = await this.client.get();
    try {
      const chunks = await client.models.generateContentStream({
        model: this.model,
        contents: request.messages.map(({ role, content }) => ({
          role: role === 'assistant' ? 'model' : 'user',
          parts: [{ text: content }],
        })),
        config: {
          systemInstruction: request.system,
          abortSignal: options.signal,
          ...(options.maxOutputTokens === undefined ? {} : { maxOutputTokens: options.maxOutputTokens }),
        },
      });
      return this.events(chunks);
    } catch (error) {
      throw vertexCallFailure(error);
    }
  }

  private async *events(chunks: AsyncIterable<GenerateContentResponse>): AsyncIterable<ChatEvent> {
    let finished = false;
    let usage: GenerateContentResponse['usageMetadata'];
    try {
      for await (const chunk of chunks) {
        const candidate = chunk.candidates?.[0];
        const text = answerText(candidate);
        if (text !== '') yield { type: 'delta', text };
        if (isFiltered(chunk)) throw new UpstreamFailure('filtered');
        finished ||= candidate?.finishReason !== undefined;
        usage = chunk.usageMetadata ?? usage;
      }
    } catch (error) {
      throw vertexStreamFailure(error);
    }
    // Without a finish reason the connection ended early; the text so far must not pass for an answer.
    if (!finished) throw new UpstreamFailure('unavailable');
    if (usage === undefined) return;
    yield {
      type: 'usage',
      inputTokens: usage.promptTokenCount ?? 0,
      outputTokens: (usage.candidatesTokenCount ?? 0) + (usage.thoughtsTokenCount ?? 0),
    };
  }
}

type Candidate = NonNullable<GenerateContentResponse['candidates']>[number];

function isFiltered({ promptFeedback, candidates }: GenerateContentResponse): boolean {
  const reason: string | undefined = candidates?.[0]?.finishReason;
  return promptFeedback?.blockReason !== undefined || (reason !== undefined && FILTERED.has(reason));
}

/** Thoughts are not part of the answer. */
function answerText(candidate: Candidate | undefined): string {
  const parts = candidate?.content?.parts ?? [];
  return parts
    .filter(({ thought }) => thought !== true)
    .map(({ text }) => text ?? '')
    .join('');
}
