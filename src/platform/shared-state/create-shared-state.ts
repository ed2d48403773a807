import type { Log } from '../../kernel/log.js';
import type { Clock } from '../../kernel/time.js';
import { InProcessState } from './in-process-state.js';
import { RedisState } from './redis-state.js';
import type { SharedStateSettings } from './shared-state.settings.js';
import type { SharedState } from './shared-state.js';

/** The shared state that the settings ask for. Connects on first use. */
export function createSharedState(settings: SharedStateSettings, clock: Clock, log: Log): SharedState {
  return settings.redisUrl === undefined
    ? new InProcessState(clock, log)
    : new RedisState(settings.redisUrl, clock, log, settings.keyPrefix);
}
