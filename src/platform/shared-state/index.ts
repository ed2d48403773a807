export { SharedState, type Unsubscribe } from './shared-state.js';
export { AppendLogs, type LogPart } from './append-logs.js';
export { createAppendLogs, createSharedState, createTrafficGate } from './create-shared-state.js';
export { InProcessGate } from './in-process-gate.js';
export { RedisConnection } from './redis-connection.js';
export { sharedStateErrors } from './shared-state.errors.js';
export { sharedStateSettings, type SharedStateSettings } from './shared-state.settings.js';
export { refilled, retryAfterMs, type BucketState } from './token-bucket.js';
export { TrafficGate, type BucketLevel, type Passage, type TokenBucket, type UsageCounter } from './traffic-gate.js';
