import type { AppError } from '../../kernel/errors.js';
import { EMBED_DIM } from './embedding-model.js';
import type { EmbeddingKind, EmbeddingVector } from './embedding-model.js';
import type { EmbeddingTransport } from './guarded-embedding.js';
import { modelErrors } from './model-gateway.errors.js';
import { missingOpenAiSettings } from './model-gateway.settings.js';
import type { ModelSettings } from './model-gateway.settings.js';
import type { OpenAiClient } from './openai-client.js';

/** Embeddings of any OpenAI-compatible server. */
export class OpenAiEmbedding implements EmbeddingTransport {
  readonly id: string;
  readonly maxInputs = 96;
  readonly maxTokens = 300_000;

  constructor(
    private readonly settings: ModelSettings,
    private readonly client: OpenAiClient,
  ) {
    this.id = `openai/${settings.openaiEmbeddingModel}`;
  }

  configurationError(): AppError | undefined {
    const missing = missingOpenAiSettings(this.settings);
    if (missing.length === 0) return undefined;
    return modelErrors.EMBEDDING_CONFIG_MISSING({
      message: `The embedding provider is not configured: set ${missing.join(', ')}.`,
      details: { missing },
    });
  }

  async embed(
    texts: readonly string[],
    _kind: EmbeddingKind,
    signal: AbortSignal,
  ): Promise<readonly EmbeddingVector[]> {
    const client = await this.client.get();
    try {
      const { data } = await client.embeddings.create(
        {
          model: this.settings.openaiEmbeddingModel,
          input: [...texts],
          dimensions: EMBED_DIM,
          // The library's default is base64, which many compatible servers do not know.
          encoding_format: 'float',
        },
        { signal },
      );
      return [...data].sort((a, b) => a.index - b.index).map(({ embedding }) => embedding);
    } catch (error) {
      throw this.client.failure(error);
    }
  }
}
