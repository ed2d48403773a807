import { describe, expect, it } from '@jest/globals';
import { commonErrors } from '../../../kernel/common-errors.js';
import { Jobs } from '../../../kernel/jobs.js';
import { loadSettings } from '../../../kernel/settings.js';
import { ManualClock } from '../../../kernel/time.js';
import { jobsErrors } from '../../../platform/jobs/index.js';
import { ingestionSettings } from '../ingestion.settings.js';
import { IngestAdmission } from './ingest-admission.js';
import { QueueDepth } from './queue-depth.js';

class QueueOf extends Jobs {
  asked = 0;
  constructor(public waiting: number | Error) {
    super();
  }
  enqueue(): Promise<string> {
    return Promise.reject(new Error('Admission enqueues nothing.'));
  }
  depth(): Promise<number> {
    this.asked += 1;
    return this.waiting instanceof Error ? Promise.reject(this.waiting) : Promise.resolve(this.waiting);
  }
}

function admission(
  queue: QueueOf,
  env: Record<string, string> = {},
): { admission: IngestAdmission; clock: ManualClock } {
  const clock = new ManualClock();
  const settings = loadSettings(env, [ingestionSettings]).get(ingestionSettings);
  return {
    admission: new IngestAdmission(settings, new QueueDepth(queue, clock), { requireIngest: async () => undefined }),
    clock,
  };
}

const busy = expect.objectContaining({ code: 'SERVICE_BUSY' });

describe('route', () => {
  it('goes to the queue until it is full', async () => {
    const queue = new QueueOf(1);
    const { admission: gate, clock } = admission(queue, { INGEST_MAX_QUEUE_DEPTH: '2' });
    await expect(gate.route('c')).resolves.toBe('queue');
    queue.waiting = 2;
    clock.advance(1000);
    await expect(gate.route('c')).rejects.toThrow(busy);
  });

  it('asks the queue once a second, and once for requests that come together', async () => {
    const queue = new QueueOf(0);
    const { admission: gate, clock } = admission(queue);
    await Promise.all([gate.route('c'), gate.route('c'), gate.route('c')]);
    clock.advance(999);
    await gate.route('c');
    expect(queue.asked).toBe(1);
    clock.advance(1);
    await gate.route('c');
    expect(queue.asked).toBe(2);
  });

  // A remembered outage would fail documents for a second after the queue came back.
  it('notices at once that the queue came back', async () => {
    const queue = new QueueOf(jobsErrors.QUEUE_UNAVAILABLE());
    const { admission: gate } = admission(queue);
    await expect(gate.route('c')).resolves.toBe('unreachable');
    queue.waiting = 0;
    await expect(gate.route('c')).resolves.toBe('queue');
  });

  // Taken for an outage of the queue, a moment without the database would fail every document that is sent.
  it('does not take a database that is away for a queue that is away', async () => {
    const { admission: gate } = admission(new QueueOf(commonErrors.SERVICE_UNAVAILABLE()));
    await expect(gate.route('c')).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' });
  });

  it('needs no queue in inline mode', async () => {
    const queue = new QueueOf(jobsErrors.QUEUE_UNAVAILABLE());
    const { admission: gate } = admission(queue, { INGEST_EXECUTION_MODE: 'inline' });
    await expect(gate.route('c')).resolves.toBe('inline');
    expect(queue.asked).toBe(0);
  });
});

describe('within', () => {
  const held = (): { promise: Promise<void>; release: () => void } => {
    let release = (): void => undefined;
    const promise = new Promise<void>((resolve) => (release = resolve));
    return { promise, release };
  };

  it.each([[{ INGEST_MAX_CONCURRENCY: '1' }], [{ INGEST_MAX_CONCURRENCY: '8', INGEST_BULKHEAD_MAX_CONCURRENCY: '1' }]])(
    'turns away what exceeds the slots of inline mode: %j',
    async (limits) => {
      const { admission: gate } = admission(new QueueOf(0), { INGEST_EXECUTION_MODE: 'inline', ...limits });
      const { promise, release } = held();
      const first = gate.within(() => promise);
      await expect(gate.within(() => Promise.resolve())).rejects.toThrow(busy);
      release();
      await first;
      await expect(gate.within(() => Promise.resolve('served'))).resolves.toBe('served');
    },
  );

  it('gives the slot back when the work fails', async () => {
    const env = { INGEST_EXECUTION_MODE: 'inline', INGEST_MAX_CONCURRENCY: '1' };
    const { admission: gate } = admission(new QueueOf(0), env);
    await expect(gate.within(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
    await expect(gate.within(() => Promise.resolve('served'))).resolves.toBe('served');
  });

  it('limits nothing in queue mode', async () => {
    const { admission: gate } = admission(new QueueOf(0), { INGEST_MAX_CONCURRENCY: '1' });
    const { promise, release } = held();
    const first = gate.within(() => promise);
    await expect(gate.within(() => Promise.resolve('served'))).resolves.toBe('served');
    release();
    await first;
  });
});
