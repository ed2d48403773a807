import { CircuitBreaker } from '../../kernel/circuit-breaker.js';
import type { BreakerState } from '../../kernel/circuit-breaker.js';
import type { Ids } from '../../kernel/ids.js';
import type { Clock } from '../../kernel/time.js';
import { CachedQueryEmbedding } from './cached-query-embedding.js';
import type { ChatModel } from './chat-model.js';
import type { EmbeddingModel } from './embedding-model.js';
import { ExtractiveChatModel } from './extractive-chat.js';
import { FakeChatModel } from './fake-chat.js';
import { FakeEmbeddingModel } from './fake-embedding.js';
import { GuardedChatModel } from './guarded-chat.js';
import type { ChatTransport } from './guarded-chat.js';
import { GuardedEmbeddingModel } from './guarded-embedding.js';
import type { EmbeddingTransport } from './guarded-embedding.js';
import { HttpReranker } from './http-reranker.js';
import { breakerPolicy, resolveChatProvider, retryPolicy } from './model-gateway.settings.js';
import type { ModelSettings } from './model-gateway.settings.js';
import { OpenAiChat } from './openai-chat.js';
import { OpenAiClient } from './openai-client.js';
import { OpenAiEmbedding } from './openai-embedding.js';
import { NoReranker } from './reranker.js';
import type { Reranker } from './reranker.js';
import { VertexChat } from './vertex-chat.js';
import { VertexClient } from './vertex-client.js';
import { VertexEmbedding } from './vertex-embedding.js';

/** For logs, audit and metrics. The integration is the breaker's name, such as `llm.vertex`. */
export interface ModelObserver {
  onRetry?(integration: string): void;
  onBreaker?(integration: string, state: BreakerState): void;
}

const CACHED_QUERIES = 256;

/**
 * The chat model that the settings choose. Make one per process: its circuit breaker lives in it. Never throws for
 * missing credentials; the first `stream` does.
 */
export function createChatModel(
  settings: ModelSettings,
  clock: Clock,
  ids: Ids,
  observer: ModelObserver = {},
): ChatModel {
  const guarded = (transport: ChatTransport, totalSeconds: number): ChatModel =>
    new GuardedChatModel(transport, {
      clock,
      ids,
      breaker: breaker(`llm.${transport.provider}`, settings, clock, observer),
      retry: retryPolicy(settings, settings.firstTokenTimeoutMs),
      limits: { totalMs: totalSeconds * 1000, idleMs: settings.idleTimeoutMs },
      onRetry: (integration) => observer.onRetry?.(integration),
    });
  switch (resolveChatProvider(settings)) {
    case 'fake':
      return new FakeChatModel(settings.fakeResponse, settings.fakeDelayMs, clock);
    case 'extractive':
      return new ExtractiveChatModel();
    case 'openai':
      return guarded(new OpenAiChat(settings, new OpenAiClient(settings, clock)), settings.openaiStreamTimeoutSeconds);
    case 'vertex':
      return guarded(new VertexChat(settings, new VertexClient(settings)), settings.vertexStreamTimeoutSeconds);
  }
}

/** The embedding model that the settings choose. Make one per process: its circuit breaker and cache live in it. */
export function createEmbeddingModel(
  settings: ModelSettings,
  clock: Clock,
  ids: Ids,
  observer: ModelObserver = {},
): EmbeddingModel {
  const guarded = (transport: EmbeddingTransport): EmbeddingModel => {
    const model = new GuardedEmbeddingModel(transport, {
      clock,
      ids,
      breaker: breaker(`embedding.${settings.embeddingProvider}`, settings, clock, observer),
      retry: {
        document: retryPolicy(settings, settings.embeddingTimeoutMs),
        query: retryPolicy(settings, settings.callTimeoutMs),
      },
      onRetry: (integration) => observer.onRetry?.(integration),
    });
    return new CachedQueryEmbedding(model, CACHED_QUERIES);
  };
  switch (settings.embeddingProvider) {
    case 'fake':
      return new FakeEmbeddingModel();
    case 'openai':
      return guarded(new OpenAiEmbedding(settings, new OpenAiClient(settings, clock)));
    case 'vertex':
      return guarded(new VertexEmbedding(settings, new VertexClient(settings)));
  }
}

/** The reranker that the settings choose. Make one per process: its circuit breaker lives in it. */
export function createReranker(
  settings: ModelSettings,
  clock: Clock,
  ids: Ids,
  observer: ModelObserver = {},
): Reranker {
  if (settings.rerankerProvider === 'none' || settings.rerankerUrl === undefined) return new NoReranker();
  const { rerankerUrl: url, rerankerApiKey: apiKey, rerankerModel: model } = settings;
  return new HttpReranker(
    { url, apiKey, model },
    {
      clock,
      ids,
      breaker: breaker('reranker.http', settings, clock, observer),
      retry: retryPolicy(settings, settings.callTimeoutMs),
      onRetry: (integration) => observer.onRetry?.(integration),
    },
  );
}

function breaker(name: string, settings: ModelSettings, clock: Clock, observer: ModelObserver): CircuitBreaker {
  return new CircuitBreaker(name, {
    policy: breakerPolicy(settings),
    clock,
    onTransition: (integration, state) => observer.onBreaker?.(integration, state),
  });
}
