import { bool, defineSettings, float, int, type SettingsOf } from '../../kernel/settings.js';

export const runSettings = defineSettings('run', 'Answers', {
  maxConcurrency: int({
    env: 'RUN_MAX_CONCURRENCY',
    default: 10,
    min: 1,
    max: 10_000,
    unit: 'runs',
    doc: 'Answers that one process works on at once; more are answered 503 SERVICE_BUSY.',
  }),
  bulkheadMaxConcurrency: int({
    env: 'RUN_BULKHEAD_MAX_CONCURRENCY',
    default: undefined,
    min: 1,
    max: 10_000,
    unit: 'runs',
    doc: 'Takes the place of RUN_MAX_CONCURRENCY when set.',
  }),
  maxMessageChars: int({
    env: 'RUN_MAX_MESSAGE_CHARS',
    default: 32_000,
    min: 1,
    max: 1_000_000,
    unit: 'characters',
    doc: 'Longest question.',
  }),
  historyMaxTokens: int({
    env: 'RUN_HISTORY_MAX_TOKENS',
    default: 4000,
    min: 0,
    max: 1_000_000,
    unit: 'tokens',
    doc: 'How much of the conversation the model sees, newest first.',
  }),
  charsPerToken: float({
    env: 'COST_ESTIMATOR_TOKEN_CHARS_RATIO',
    default: 4,
    min: 0.5,
    max: 20,
    unit: 'characters',
    doc: 'Characters that count as one token where the provider does not count.',
  }),
  timeoutSeconds: int({
    env: 'RUN_TIMEOUT_S',
    default: 120,
    min: 1,
    max: 3600,
    unit: 's',
    doc: 'Longest answer, from the question to the end of the stream.',
  }),
  drainSeconds: int({
    env: 'RUN_DRAIN_S',
    default: 10,
    min: 0,
    max: 600,
    unit: 's',
    doc: 'How long a stopping process lets open answers finish.',
  }),
  heartbeatSeconds: float({
    env: 'RUN_SSE_HEARTBEAT_S',
    default: 10,
    min: 1,
    max: 300,
    unit: 's',
    doc: 'Longest silence in a stream before a heartbeat is sent.',
  }),
  flushIntervalMs: int({
    env: 'SSE_FLUSH_INTERVAL_MS',
    default: 20,
    min: 0,
    max: 5000,
    unit: 'ms',
    doc: 'Tokens that arrive within this window leave in one frame.',
  }),
  stallSeconds: int({
    env: 'RUN_SSE_STALL_S',
    default: 30,
    min: 1,
    max: 600,
    unit: 's',
    doc: 'A client that reads nothing for this long counts as gone.',
  }),
  debugEvents: bool({ env: 'DEBUG_EVENTS', default: false, doc: 'Send debug.retrieval after retrieval.' }),
});

export type RunSettings = SettingsOf<typeof runSettings>;

/** Injection token of the loaded group. */
export const RUN_SETTINGS = Symbol('run settings');
