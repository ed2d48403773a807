import { resolveChatProvider, type ModelSettings } from './model-gateway.settings.js';

/** Where texts go when a model is called. */
export interface ModelEndpoint {
  readonly surface: 'llm' | 'embedding' | 'reranker';
  readonly provider: string;
  /** Undefined when it is not known, or when the model runs in this process. */
  readonly region: string | undefined;
}

export function modelEndpoints(settings: ModelSettings): Readonly<Record<ModelEndpoint['surface'], ModelEndpoint>> {
  const chat = resolveChatProvider(settings);
  const { embeddingProvider, rerankerProvider, location } = settings;
  const vertexIn = (provider: string): string | undefined => (provider === 'vertex' ? location : undefined);
  return {
    llm: { surface: 'llm', provider: chat, region: settings.llmRegion ?? vertexIn(chat) },
    embedding: {
      surface: 'embedding',
      provider: embeddingProvider,
      region: settings.embeddingRegion ?? vertexIn(embeddingProvider),
    },
    reranker: {
      surface: 'reranker',
      provider: rerankerProvider,
      region: rerankerProvider === 'none' ? undefined : settings.rerankerRegion,
    },
  };
}
