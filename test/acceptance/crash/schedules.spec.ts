import { randomInt } from 'node:crypto';
import { expect, it } from '@jest/globals';
import { eventually } from '../../harness/eventually.js';
import { postgresPrograms, PrivateServices } from '../../harness/private-services.js';
import { testDatabaseUrl, testRedisUrl } from '../../harness/services.js';
import { CLAIM_MS } from './cluster.js';
import { readAgain } from './conversation-invariants.js';
import { Findings } from './findings.js';
import type { Asked } from './questions.js';
import { checkStore } from './store-invariants.js';
import { runSchedule, World } from './schedule.js';

const SCHEDULES = Number(process.env['CRASH_SCHEDULES'] ?? 6);
const FIRST = Number(process.env['CRASH_FIRST'] ?? 0);
const SEED = Number(process.env['CRASH_SEED'] ?? randomInt(2 ** 31));
/** Ample: a schedule takes three to ten seconds. */
const MOST_MS = 60_000 + SCHEDULES * 60_000;
/** After this long nobody takes the process of an interrupted stream for alive. */
const DEAD_MS = 12_000;
/** Longer than a lease and a backoff. */
const SLOW_MS = 12_000;
/** As many schedules deserve minutes of waiting at their end. */
const LONG = 50;
/** What a sweep deletes every minute. */
const SWEPT_MS = 150_000;

const programs = postgresPrograms();

if (testDatabaseUrl === undefined || testRedisUrl === undefined || programs === undefined) {
  // As services.spec.ts: without services there is nothing to crash.
  it('crash schedules need TEST_DATABASE_URL, TEST_REDIS_URL and the Postgres that scripts/services.sh installs', () => {
    expect([testDatabaseUrl, testRedisUrl, programs]).toContain(undefined);
  });
} else {
  crashSchedules(programs);
}

function crashSchedules(postgres: string): void {
  // Whatever dies, nothing that was accepted is lost, done twice, or stuck.
  it(
    `processes and services that die at random moments break no invariant (${SCHEDULES} schedules, seed ${SEED})`,
    async () => {
      const services = await PrivateServices.start(postgres);
      try {
        expect(await new Suite(await World.start(services)).run()).toEqual([]);
      } finally {
        await services.discard();
      }
    },
    MOST_MS,
  );
}

/** Schedules one after the other on one cluster, and what is seen only later. */
class Suite {
  readonly #total = new Findings();
  /** Streams that are yet to be read again on another replica. */
  #streams: Asked[] = [];

  constructor(private readonly world: World) {}

  /** @returns broken invariants. */
  async run(): Promise<readonly string[]> {
    const started = performance.now();
    say(`CRASH_SEED=${SEED} CRASH_FIRST=${FIRST} CRASH_SCHEDULES=${SCHEDULES}`);
    try {
      for (let number = FIRST; number < FIRST + SCHEDULES; number += 1) await this.#schedule(number);
      await this.#readStreams(0);
      await this.#checkEnd();
    } finally {
      await this.world.close();
    }
    const { broken } = this.#total;
    const took = seconds(performance.now() - started);
    process.stdout.write(`${this.#total.table()}\n`);
    say(`${SCHEDULES} schedules, ${broken.length} broken invariants, ${took} s, CRASH_SEED=${SEED}`);
    return broken;
  }

  async #schedule(number: number): Promise<void> {
    const { asked, faults, findings, last, ms, settledMs } = await runSchedule(this.world, SEED, number);
    say(`schedule ${number}, ${seconds(ms)} s, of them ${seconds(settledMs)} s to settle: ${faults.join(', ')}`);
    if (settledMs > SLOW_MS) say(`  last to settle: ${JSON.stringify(last)}`);
    if (findings.broken.length > 0) {
      say(`  BROKEN, again with CRASH_SEED=${SEED} CRASH_FIRST=${number} CRASH_SCHEDULES=1`);
      for (const fact of findings.broken) say(`  ${fact.slice(0, 3000)}`);
      say(`  output of the processes: ${this.world.cluster.keepOutput(`${SEED}-${number}`)}`);
    }
    this.#total.add(findings);
    this.#streams.push(...asked.filter(({ accepted, stream }) => accepted && stream !== undefined));
    await this.#readStreams(DEAD_MS);
  }

  /** Reads streams again of which the end is known: of processes that live, and those that began so long ago. */
  async #readStreams(agoMs: number): Promise<void> {
    const due = this.#streams.filter(({ api, at }) => !api.disturbed || Date.now() - at >= agoMs);
    this.#streams = this.#streams.filter((asked) => !due.includes(asked));
    for (const asked of due) {
      const kept = await readAgain(asked, asked.client.next().url, this.#total);
      this.#total.count(`streams read again: ${asked.api.disturbed ? 'disturbed' : 'alive'}, ${kept}`);
    }
  }

  /** What takes too long to wait for after each schedule. */
  async #checkEnd(): Promise<void> {
    await checkStore(this.world.db, null, this.#total);
    if (SCHEDULES < LONG) return;
    await this.#becomesEmpty('hidden generations are swept', 'SELECT * FROM hidden_generations', SWEPT_MS);
    await this.#becomesEmpty('claims end', 'SELECT * FROM sessions WHERE active_until > now()', CLAIM_MS + 5_000);
  }

  async #becomesEmpty(invariant: string, query: string, withinMs: number): Promise<void> {
    const look = async (): Promise<void> => expect((await this.world.db.query(query)).rows).toEqual([]);
    await eventually(look, withinMs).catch((error: unknown) => this.#total.demand(false, invariant, String(error)));
  }
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(1);
}

/** Past jest, which prints nothing before the end of a file. */
function say(line: string): void {
  process.stdout.write(`crash: ${line}\n`);
}
