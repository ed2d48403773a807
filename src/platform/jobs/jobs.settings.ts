import { defineSettings, int, type SettingsOf } from '../../kernel/settings.js';

export const jobsSettings = defineSettings('jobs', 'Background jobs', {
  sweepIntervalMs: int({
    env: 'JOBS_SWEEP_INTERVAL_MS',
    default: 5_000,
    min: 100,
    max: 600_000,
    unit: 'ms',
    doc: 'How often each process looks for jobs whose delivery failed or was lost.',
  }),
  redeliverAfterSeconds: int({
    env: 'JOBS_REDELIVER_AFTER_S',
    default: 10,
    min: 1,
    max: 86_400,
    unit: 's',
    doc: 'A job that was delivered this long ago and was not started is delivered again: the longest standstill after a loss of Redis. A queue that still holds it ignores that.',
  }),
  leaseSeconds: int({
    env: 'JOBS_LEASE_S',
    default: 60,
    min: 5,
    max: 3_600,
    unit: 's',
    doc: 'How long a job stays with a worker that gave no sign of life. Must be far above the difference between the clocks of the machines.',
  }),
  keepDoneHours: int({
    env: 'JOBS_KEEP_DONE_HOURS',
    default: 24,
    min: 0,
    max: 8_760,
    unit: 'h',
    doc: 'How long a finished job is remembered; so long, its id cannot be enqueued again.',
  }),
  keepDeadDays: int({
    env: 'JOBS_KEEP_DEAD_DAYS',
    default: 30,
    min: 1,
    max: 3_650,
    unit: 'd',
    doc: 'How long a job that ran out of attempts is kept for inspection.',
  }),
});

export type JobsSettings = SettingsOf<typeof jobsSettings>;
