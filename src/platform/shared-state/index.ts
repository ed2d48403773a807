export { SharedState, type Unsubscribe } from './shared-state.js';
export { createSharedState } from './create-shared-state.js';
export { RedisConnection } from './redis-connection.js';
export { sharedStateErrors } from './shared-state.errors.js';
export { sharedStateSettings, type SharedStateSettings } from './shared-state.settings.js';
