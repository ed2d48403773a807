import { resolveChatProvider, type ModelSettings } from './model-gateway.settings.js';

/** Where texts go when a model is called. */
export interface ModelEndpoint {
  readonly surface: 'llm' | 'embedding' | 'reranker';
  readonly provider: string;
  /** Undefined when it is not known. */
  readonly region: string | undefined;
  /** Nobody is called: texts stay in this process. */
  readonly isInProcess: boolean;
}

const IN_PROCESS: readonly string[] = ['fake', 'extractive', 'none'];

export function modelEndpoints(settings: ModelSettings): Readonly<Record<ModelEndpoint['surface'], ModelEndpoint>> {
  const { embeddingProvider, rerankerProvider, location } = settings;
  const endpoint = (
    surface: ModelEndpoint['surface'],
    provider: string,
    region: string | undefined,
  ): ModelEndpoint => ({
    surface,
    provider,
    region: region ?? (provider === 'vertex' ? location : undefined),
    isInProcess: IN_PROCESS.includes(provider),
  });
  return {
    llm: endpoint('llm', resolveChatProvider(settings), settings.llmRegion),
    embedding: endpoint('embedding', embeddingProvider, settings.embeddingRegion),
    reranker: endpoint('reranker', rerankerProvider, rerankerProvider === 'none' ? undefined : settings.rerankerRegion),
  };
}
