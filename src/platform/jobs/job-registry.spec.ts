import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { defineJob, type JobHandler } from '../../kernel/jobs.js';
import { JobRegistry } from './job-registry.js';

const job = (name: string) =>
  defineJob({ name, description: 'A job.', payload: z.object({}), attempts: 1, backoff: { baseMs: 1, maxMs: 1 } });
const handler: JobHandler<object> = { run: async () => undefined, failed: async () => undefined };

describe('JobRegistry', () => {
  it('accepts exactly one handler for each declared job', () => {
    const registry = new JobRegistry();
    registry.register(job('a'), handler, { concurrency: 1 });
    registry.register(job('b'), handler, { concurrency: 1 });
    expect(() => registry.assertComplete([job('a'), job('b')])).not.toThrow();
    expect(() => registry.register(job('a'), handler, { concurrency: 1 })).toThrow('Two handlers for the job a.');
  });

  // A job without a handler would be accepted from users and never run.
  it('names every fault at boot', () => {
    const registry = new JobRegistry();
    registry.register(job('a'), handler, { concurrency: 1 });
    expect(() => registry.assertComplete([job('b'), job('c')])).toThrow(
      'Jobs and handlers do not match: b has no handler, c has no handler, a is not declared.',
    );
  });
});
