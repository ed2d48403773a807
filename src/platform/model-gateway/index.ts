/** The platform's only way to call a model. */
export { ChatModel } from './chat-model.js';
export type { ChatEvent, ChatMessage, ChatOptions, ChatPassage, ChatRequest } from './chat-model.js';
export { createChatModel, createEmbeddingModel } from './create-models.js';
export type { ModelObserver } from './create-models.js';
export { EMBED_DIM, EmbeddingModel } from './embedding-model.js';
export type { EmbeddingKind, EmbeddingVector } from './embedding-model.js';
export { NOTHING_FITS } from './extractive.js';
export { modelErrors } from './model-gateway.errors.js';
export { modelSettings, resolveChatProvider } from './model-gateway.settings.js';
export type { ChatProvider, ModelSettings } from './model-gateway.settings.js';
