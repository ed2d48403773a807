export { SharedState, type Unsubscribe } from './shared-state.js';
export { AppendLogs, type LogPart } from './append-logs.js';
export { createAppendLogs, createSharedState } from './create-shared-state.js';
export { RedisConnection } from './redis-connection.js';
export { sharedStateErrors } from './shared-state.errors.js';
export { sharedStateSettings, type SharedStateSettings } from './shared-state.settings.js';
