import { mkdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { eventually } from '../../harness/eventually.js';
import type { PrivateServices } from '../../harness/private-services.js';
import { NODE, Program } from '../../harness/process.js';

export const APIS = ['api-1', 'api-2'] as const;
export const WORKERS = ['worker-1', 'worker-2'] as const;
export type NodeName = (typeof APIS)[number] | (typeof WORKERS)[number];

export const SLOTS = 6;
export const RUN_TIMEOUT_S = 10;
/** A session stays claimed this long by a run whose process died. */
export const CLAIM_MS = (RUN_TIMEOUT_S + 5) * 1000;
export const ANSWER = Array.from({ length: 16 }, (_, at) => `word${at}`).join(' ');

const UNLIMITED = { daily: null, monthly: null };

/** Everything that waits for a time is as quick as the settings allow. */
const QUICK = {
  JOBS_LEASE_S: '5',
  JOBS_REDELIVER_AFTER_S: '1',
  JOBS_SWEEP_INTERVAL_MS: '200',
  RUN_TIMEOUT_S: String(RUN_TIMEOUT_S),
  RUN_DRAIN_S: '1',
  RATE_LIMIT_ENABLED: 'false',
  PLAN_DEFAULT_LIMITS_JSON: JSON.stringify({ free: UNLIMITED, pro: UNLIMITED, enterprise: UNLIMITED }),
  RUN_MAX_CONCURRENCY: String(SLOTS),
  RUN_MAX_CONCURRENCY_PER_TENANT: String(SLOTS),
  LLM_PROVIDER: 'fake',
  FAKE_LLM_RESPONSE: ANSWER,
  FAKE_LLM_DELAY_MS: '15',
};

/** One process from its start to its end. */
export class Life {
  /** Undefined until it serves, and for workers. */
  url: string | undefined;
  /** Whether it was asked to end at some time, or kept from working. */
  disturbed = false;
  /** Whether it was asked to end. */
  ending = false;
  /** How often it was asked to stop; the second time it ends at once. */
  stops = 0;
  /** False when it ended before it was ready. */
  readonly ready: Promise<boolean>;

  constructor(
    readonly name: NodeName,
    readonly program: Program,
    /** Faults of the services before its start. */
    readonly outagesBefore: number,
  ) {
    this.ready = eventually(() => {
      const match = /listens on http:\/\/localhost:(\d+)|the worker runs jobs/.exec(program.stdout);
      if (match === null && !program.ended) throw new Error(`${name} does not start: ${program.stderr}`);
      if (match?.[1] !== undefined) this.url = `http://127.0.0.1:${match[1]}`;
      return match !== null;
    }, 60_000).catch(() => false);
  }

  /** Whether it takes requests, as far as is known. */
  get serves(): boolean {
    return this.url !== undefined && !this.program.ended;
  }
}

/**
 * API and worker processes over services that can fail. A process that ends is started again at once, as whoever runs
 * processes does.
 */
export class Cluster {
  /** Ends of processes that nothing explains. */
  readonly unexplained: string[] = [];
  readonly outages = { postgres: 0, redis: 0 };
  #open = 0;
  #closing = false;
  readonly #lives = new Map<NodeName, Life>();
  #supervisors: Promise<void>[] = [];
  /** One fault of a service at a time. */
  #services: Promise<unknown> = Promise.resolve();

  constructor(
    readonly services: PrivateServices,
    private readonly settings: Readonly<Record<string, string>> = {},
  ) {}

  /** On an empty database. */
  async start(names: readonly NodeName[] = [...APIS, ...WORKERS]): Promise<void> {
    await this.cli('migrate', 'up');
    this.#supervisors = names.map((name) => this.#supervise(name));
    await this.ready();
  }

  /** @returns stdout. */
  async cli(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await Program.run([NODE, 'dist/src/cli.js', ...args], this.#env);
    if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}: ${stderr}${stdout}`);
    return stdout;
  }

  /** The token of a new key. */
  async key(tenant: string): Promise<string> {
    const created = await this.cli('keys', 'create', '--tenant', tenant, '--role', 'admin', '--name', 'crash');
    return /nrgk_\w+_[\w-]{43}/.exec(created)?.[0] ?? '';
  }

  life(name: NodeName): Life {
    const life = this.#lives.get(name);
    if (life === undefined) throw new Error(`${name} was not started.`);
    return life;
  }

  /** APIs that take requests. */
  get serving(): Life[] {
    return APIS.flatMap((name) => this.#lives.get(name) ?? []).filter((life) => life.serves);
  }

  /** Resolves when every process runs, and none is about to end. */
  async ready(): Promise<void> {
    await this.#services;
    await eventually(async () => {
      const lives = [...this.#lives.values()];
      const ready = await Promise.all(lives.map(({ ready }) => ready));
      if (!ready.every(Boolean) || lives.some(({ ending, program }) => ending || program.ended))
        throw new Error('A process is away.');
    }, 90_000);
  }

  signal(name: NodeName, signal: 'SIGKILL' | 'SIGTERM'): Life {
    const life = this.life(name);
    life.disturbed = true;
    life.ending = true;
    if (signal === 'SIGTERM') life.stops += 1;
    life.program.kill(signal);
    return life;
  }

  /** Stops a process in its tracks; it goes on later as if nothing had happened. */
  async freeze(name: NodeName, ms: number): Promise<void> {
    const life = this.life(name);
    life.disturbed = true;
    life.program.kill('SIGSTOP');
    await pause(ms);
    life.program.kill('SIGCONT');
  }

  restartPostgres(): Promise<void> {
    return this.#outage('postgres', () => this.services.restartPostgres());
  }

  flushRedis(): Promise<void> {
    return this.#outage('redis', () => this.services.flushRedis());
  }

  /** @param keeps whether it comes back with its data. */
  redisAway(ms: number, { keeps }: { readonly keeps: boolean }): Promise<void> {
    return this.#outage('redis', async () => {
      await this.services.killRedis();
      if (!keeps) this.services.loseRedisData();
      await pause(ms);
      await this.services.startRedis();
    });
  }

  pauseRedis(ms: number): Promise<void> {
    return this.#outage('redis', async () => {
      this.services.pauseRedis();
      await pause(ms);
      this.services.resumeRedis();
    });
  }

  /** What the processes have printed, in files. @returns their folder. */
  keepOutput(label: string): string {
    const folder = join(tmpdir(), `nexusrag-crash-${label}`);
    mkdirSync(folder, { recursive: true });
    for (const { name, program } of this.#lives.values()) {
      writeFileSync(join(folder, `${name}.log`), `${program.stdout}\n${program.stderr}`);
    }
    return folder;
  }

  async close(): Promise<void> {
    this.#closing = true;
    for (const { program } of this.#lives.values()) program.kill('SIGKILL');
    await Promise.all(this.#supervisors);
  }

  get #env(): Readonly<Record<string, string>> {
    return {
      DATABASE_URL: this.services.databaseUrl,
      REDIS_URL: this.services.redisUrl,
      NODE_ENV: 'production',
      KEYRING_MASTER_KEY: 'for-the-time-of-this-test-and-no-longer',
      PORT: '0',
      NEXUSRAG_DATA_DIR: join(this.services.folder, 'data'),
      ...QUICK,
      ...this.settings,
    };
  }

  #goesOn(): boolean {
    return !this.#closing;
  }

  async #supervise(name: NodeName): Promise<void> {
    const entry = name.startsWith('api') ? 'dist/src/main.js' : 'dist/src/worker.js';
    while (this.#goesOn()) {
      const { postgres, redis } = this.outages;
      const life = new Life(name, new Program([NODE, entry], this.#env), postgres + redis - this.#open);
      this.#lives.set(name, life);
      const code = await life.program.exit();
      if (this.#goesOn()) this.#explain(life, code, await life.ready);
    }
  }

  /** A signal explains an end, which is orderly once the process runs; an outage explains that one cannot start. */
  #explain(life: Life, code: number | string, ready: boolean): void {
    const { postgres, redis } = this.outages;
    const outage = postgres + redis > life.outagesBefore;
    const stopped = code === 0 || (code === 130 && life.stops > 1) || (code === 'SIGTERM' && !ready);
    const asked = life.disturbed && (stopped || code === 'SIGKILL');
    if (asked || (!ready && outage)) return;
    const { stdout, stderr } = life.program;
    this.unexplained.push(`${life.name} ended with ${code}: ${stderr.slice(-2000)} ${stdout.slice(-2000)}`);
  }

  #outage(service: 'postgres' | 'redis', fault: () => Promise<void>): Promise<void> {
    const outage = this.#services.then(async () => {
      this.outages[service] += 1;
      this.#open += 1;
      await fault().finally(() => (this.#open -= 1));
    });
    this.#services = outage.catch(() => undefined);
    return outage;
  }
}
