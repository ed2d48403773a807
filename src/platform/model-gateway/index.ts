/**
 * The platform's only way to call a model.
 *
 * A provider is a transport (`vertex-chat`, `openai-embedding`, …) that speaks one wire format and says what went
 * wrong as an `UpstreamFailure`. Everything else happens once, around it: `GuardedChatModel` and
 * `GuardedEmbeddingModel` add the circuit breaker, retries, time limits, abort and our own errors. `fake` and
 * `extractive` call nobody and need none of it.
 */
export { ChatModel } from './chat-model.js';
export type { ChatEvent, ChatMessage, ChatOptions, ChatPassage, ChatRequest } from './chat-model.js';
export { createChatModel, createEmbeddingModel, createReranker } from './create-models.js';
export type { ModelObserver } from './create-models.js';
export { EMBED_DIM, EmbeddingModel } from './embedding-model.js';
export type { EmbeddingKind, EmbeddingVector } from './embedding-model.js';
export { EmbeddingModels } from './embedding-models.js';
export { modelEndpoints, type ModelEndpoint } from './model-endpoints.js';
export { modelErrors } from './model-gateway.errors.js';
export { breakerPolicy, modelSettings, resolveChatProvider } from './model-gateway.settings.js';
export type { ChatProvider, ModelSettings } from './model-gateway.settings.js';
export { NoReranker, Reranker } from './reranker.js';
