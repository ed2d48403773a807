import type { AppError } from '../../kernel/errors.js';
import { EMBED_DIM, normalised } from './embedding-model.js';
import type { EmbeddingKind, EmbeddingVector } from './embedding-model.js';
import type { EmbeddingTransport } from './guarded-embedding.js';
import { modelErrors } from './model-gateway.errors.js';
import { missingVertexSettings } from './model-gateway.settings.js';
import type { ModelSettings } from './model-gateway.settings.js';
import { vertexCallFailure } from './vertex-client.js';
import type { VertexClient } from './vertex-client.js';

const TASK = { document: 'RETRIEVAL_DOCUMENT', query: 'RETRIEVAL_QUERY' } as const;

/** Text embeddings of Vertex AI. */
export class VertexEmbedding implements EmbeddingTransport {
  readonly id: string;
  readonly maxInputs: number;
  readonly maxTokens = 20_000;

  constructor(
    private readonly settings: ModelSettings,
    private readonly client: VertexClient,
  ) {
    const model = settings.vertexEmbeddingModel;
    this.id = `vertex/${model}`;
    // The Gemini embedding models take one text per request.
    this.maxInputs = model.includes('gemini') ? 1 : 96;
  }

  configurationError(): AppError | undefined {
    const missing = missingVertexSettings(this.settings);
    if (missing.length === 0) return undefined;
    return modelErrors.EMBEDDING_CONFIG_MISSING({
      message: `The embedding provider is not configured: set ${missing.join(', ')}.`,
      details: { missing },
    });
  }

  async embed(texts: readonly string[], kind: EmbeddingKind, signal: AbortSignal): Promise<readonly EmbeddingVector[]> {
    const client = await this.client.get();
    try {
      const { embeddings = [] } = await client.models.embedContent({
        model: this.settings.vertexEmbeddingModel,
        contents: [...texts],
        config: { taskType: TASK[kind], outputDimensionality: EMBED_DIM, abortSignal: signal },
      });
      // Shortened Gemini embeddings do not come at length 1.
      return embeddings.map(({ values = [] }) => normalised(values));
    } catch (error) {
      throw vertexCallFailure(error);
    }
  }
}
