import type { Log } from '../../kernel/log.js';
import type { Clock } from '../../kernel/time.js';
import type { AppendLogs } from './append-logs.js';
import { InProcessGate } from './in-process-gate.js';
import { InProcessLogs } from './in-process-logs.js';
import { InProcessState } from './in-process-state.js';
import { RedisGate } from './redis-gate.js';
import { RedisLogs } from './redis-logs.js';
import { RedisState } from './redis-state.js';
import type { SharedStateSettings } from './shared-state.settings.js';
import type { SharedState } from './shared-state.js';
import type { TrafficGate } from './traffic-gate.js';

/** The shared state that the settings ask for. Connects on first use. */
export function createSharedState(settings: SharedStateSettings, clock: Clock, log: Log): SharedState {
  return settings.redisUrl === undefined
    ? new InProcessState(clock, log)
    : new RedisState(settings.redisUrl, clock, log, settings.keyPrefix);
}

/**
 * The logs beside a shared state of the same settings.
 *
 * @param maxBytes what the process may hold of them when they are not in Redis.
 */
export function createAppendLogs(
  { redisUrl, keyPrefix }: SharedStateSettings,
  clock: Clock,
  log: Log,
  state: SharedState,
  maxBytes: number,
): AppendLogs {
  return redisUrl === undefined
    ? new InProcessLogs(clock, maxBytes)
    : new RedisLogs(redisUrl, clock, log, state, keyPrefix);
}

/** The gate beside a shared state of the same settings. Connects on first use. */
export function createTrafficGate(
  { redisUrl, keyPrefix, gatePrefix }: SharedStateSettings,
  clock: Clock,
  log: Log,
): TrafficGate {
  return redisUrl === undefined
    ? new InProcessGate(clock)
    : new RedisGate(redisUrl, clock, log, gatePrefix ?? `${keyPrefix}:rl`);
}
