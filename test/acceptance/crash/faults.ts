import type { Cluster, NodeName } from './cluster.js';
import type { Random } from './random.js';

type Kind =
  | 'kill API'
  | 'kill worker'
  | 'stop API'
  | 'stop worker'
  | 'freeze worker'
  | 'restart Postgres'
  | 'flush Redis'
  | 'restart Redis'
  | 'lose Redis'
  | 'pause Redis';

export interface Fault {
  readonly kind: Kind;
  /** Milliseconds after the start of the schedule. */
  readonly at: number;
  readonly api: NodeName;
  readonly worker: NodeName;
  /** How long a service is away, in ms. */
  readonly ms: number;
}

const HOW_OFTEN: Readonly<Record<Kind, number>> = {
  'kill API': 4,
  'kill worker': 5,
  'stop API': 1.5,
  'stop worker': 1.5,
  'freeze worker': 0.5,
  'restart Postgres': 3,
  'flush Redis': 2,
  'restart Redis': 1,
  'lose Redis': 2,
  'pause Redis': 1,
};

/** Longer than a lease: when the worker goes on, another one has its jobs. */
const FROZEN_MS = 6_500;

const INFLICT: Readonly<Record<Kind, (cluster: Cluster, fault: Fault) => unknown>> = {
  'kill API': (cluster, { api }) => cluster.signal(api, 'SIGKILL'),
  'kill worker': (cluster, { worker }) => cluster.signal(worker, 'SIGKILL'),
  'stop API': (cluster, { api }) => cluster.signal(api, 'SIGTERM'),
  'stop worker': (cluster, { worker }) => cluster.signal(worker, 'SIGTERM'),
  'freeze worker': (cluster, { worker }) => cluster.freeze(worker, FROZEN_MS),
  'restart Postgres': (cluster) => cluster.restartPostgres(),
  'flush Redis': (cluster) => cluster.flushRedis(),
  'restart Redis': (cluster, { ms }) => cluster.redisAway(ms, { keeps: true }),
  'lose Redis': (cluster, { ms }) => cluster.redisAway(ms, { keeps: false }),
  'pause Redis': (cluster, { ms }) => cluster.pauseRedis(ms),
};

/** One to four faults within the time. */
export function planFaults(random: Random, withinMs: number): Fault[] {
  const faults = Array.from({ length: random.int(1, 4) }, () => ({
    kind: random.pick(HOW_OFTEN),
    at: random.int(0, withinMs),
    api: random.pick({ 'api-1': 1, 'api-2': 1 }),
    worker: random.pick({ 'worker-1': 1, 'worker-2': 1 }),
    ms: random.int(100, 1500),
  }));
  return faults.sort((one, other) => one.at - other.at);
}

/** Resolves when the fault is over; a process that was ended may still be starting. */
export async function inflict(cluster: Cluster, fault: Fault): Promise<void> {
  await INFLICT[fault.kind](cluster, fault);
}

export function describeFault({ kind, at, api, worker, ms }: Fault): string {
  if (kind.endsWith('API')) return `${at} ms: ${kind} (${api})`;
  if (kind.endsWith('worker')) return `${at} ms: ${kind} (${worker})`;
  return kind === 'restart Postgres' || kind === 'flush Redis' ? `${at} ms: ${kind}` : `${at} ms: ${kind} (${ms} ms)`;
}
