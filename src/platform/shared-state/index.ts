export { SharedState, type Unsubscribe } from './shared-state.js';
export { createSharedState } from './create-shared-state.js';
export { InProcessState } from './in-process-state.js';
export { RedisConnection } from './redis-connection.js';
export { RedisState } from './redis-state.js';
export { sharedStateErrors } from './shared-state.errors.js';
export { sharedStateSettings, type SharedStateSettings } from './shared-state.settings.js';
