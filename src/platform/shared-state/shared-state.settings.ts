import { defineSettings, text, url, type SettingsOf } from '../../kernel/settings.js';

export const sharedStateSettings = defineSettings(
  'sharedState',
  'Shared state and queues',
  {
    redisUrl: url(['redis', 'rediss'], {
      env: 'REDIS_URL',
      default: undefined,
      secret: true,
      doc: 'Redis 6.2 or newer, for what several processes share and for delivering jobs. Unset: inside this process, which must then be the only one.',
    }),
    keyPrefix: text({
      env: 'REDIS_KEY_PREFIX',
      default: 'nexusrag',
      pattern: /^[A-Za-z0-9._-]{1,64}$/,
      doc: 'First part of every key and channel. Installations that share one Redis need different ones.',
    }),
    gatePrefix: text({
      env: 'RL_REDIS_PREFIX',
      default: undefined,
      pattern: /^[A-Za-z0-9._:-]{1,64}$/,
      doc: 'First part of the keys of rate buckets and usage counters. Unset: REDIS_KEY_PREFIX followed by :rl, so nexusrag:rl.',
    }),
  },
  [
    ({ redisUrl }, mode) =>
      mode === 'production' && redisUrl === undefined
        ? 'REDIS_URL is required in production: without it each process keeps its own limits, caches and jobs.'
        : undefined,
  ],
);

export type SharedStateSettings = SettingsOf<typeof sharedStateSettings>;
