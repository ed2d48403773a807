import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { runInContext, systemContext } from '../../kernel/context.js';
import { silentLog } from '../../kernel/log.js';
import { ManualClock } from '../../kernel/time.js';
import { InProcessGate, TrafficGate, type Passage } from '../../platform/shared-state/index.js';
import { testDatabase, type TestDatabase } from '../../../test/harness/database.js';
import { aroundStatements } from '../../../test/harness/statements.js';
import { Charge } from './application/charge.js';
import { UsageLedger } from './application/usage-ledger.js';
import type { QuotaLimits } from './domain/quota.js';
import { periodsAt } from './domain/period.js';
import { UsageRepository } from './persistence/usage.repository.js';

const LIMITS: QuotaLimits = {
  dailyRequests: 10,
  monthlyRequests: 20,
  dailyTokens: null,
  monthlyTokens: null,
  softCapRatio: 0.8,
  hardCapEnabled: true,
};
const NOW = '2026-02-17T12:00:00Z';

/** A gate that can be away, and lose what it has. */
class FlakyGate extends TrafficGate {
  isAway = false;
  #inner = new InProcessGate(clock);

  /** Like a store that was restarted without its data. */
  lose(): void {
    this.#inner = new InProcessGate(clock);
  }

  pass(...asked: Parameters<TrafficGate['pass']>): Promise<Passage> {
    return this.#reach().pass(...asked);
  }

  async giveBack(...given: Parameters<TrafficGate['giveBack']>): Promise<void> {
    return this.#reach().giveBack(...given);
  }

  async raise(...told: Parameters<TrafficGate['raise']>): Promise<void> {
    return this.#reach().raise(...told);
  }

  async close(): Promise<void> {}

  #reach(): TrafficGate {
    if (this.isAway) throw new Error('The gate is away.');
    return this.#inner;
  }
}

let db: TestDatabase;
let tenantId: string;
let tenants = 0;
let gate: FlakyGate;
const clock = new ManualClock(NOW);

beforeAll(async () => {
  db = await testDatabase();
});
afterAll(() => db.close());
beforeEach(async () => {
  tenantId = `t-${(tenants += 1)}`;
  gate = new FlakyGate();
  await db.uow.acrossTenants('bootstrap', () =>
    db.uow.execute(`INSERT INTO tenants (id, name) VALUES ($1, 'T')`, [tenantId]),
  );
});

/** A process: what it has not written dies with it. */
function process(): UsageLedger {
  return new UsageLedger(new UsageRepository(db.uow), db.uow, gate, clock, silentLog);
}

const inTenant = <T>(fn: () => Promise<T>): Promise<T> => runInContext(systemContext('r', tenantId), fn);
const charge = (units = 1): Charge => new Charge(tenantId, LIMITS, units, 'read', periodsAt(clock.now()));

/** Takes units as a request does whose response has ended. @returns the count of the day, or the outcome. */
async function use(ledger: UsageLedger, units = 1): Promise<number | string> {
  const own = charge(units);
  const passage = await inTenant(() => ledger.ask(own, (counters) => gate.pass(tenantId, 0, [], counters)));
  if (passage.outcome !== 'passed') return passage.outcome;
  ledger.add(own.delta(units, 1));
  return passage.used[0] ?? NaN;
}

/** What the ledger has of the day and of the month, and the requests of the day. */
async function written(): Promise<number[]> {
  const { periods } = charge();
  const usage = new UsageRepository(db.uow);
  return inTenant(() =>
    db.uow.read(async () => {
      const rollups = await usage.rollups('2026-02-17');
      return [...(await usage.used(periods)), ...rollups.map(({ requests }) => requests)];
    }),
  );
}

describe('a flush', () => {
  it('writes each unit once, to the day, the month and the class', async () => {
    const ledger = process();
    await use(ledger, 3);
    await use(ledger, 1);
    await ledger.flush();
    await ledger.flush();
    expect(await written()).toEqual([4, 4, 2]);
  });

  it('of several processes adds up', async () => {
    const ledgers = [process(), process(), process()];
    await Promise.all(ledgers.map(async (ledger) => use(ledger, 2)));
    await Promise.all(ledgers.map((ledger) => ledger.flush()));
    expect(await written()).toEqual([6, 6, 3]);
  });

  it('leaves out a tenant that is gone, and writes the others', async () => {
    const ledger = process();
    ledger.add({ tenantId: 'gone', day: '2026-02-17', routeClass: 'read', units: 1, requests: 1 });
    await use(ledger);
    await ledger.flush();
    expect(await written()).toEqual([1, 1, 1]);
  });

  it('keeps everything while the database is away, in one entry a tenant, day and class', async () => {
    const ledger = process();
    await use(ledger);
    const restore = breakStatement('INSERT INTO usage_counters', 'before');
    await use(ledger);
    await ledger.flush();
    await ledger.flush();
    restore();
    expect(await written()).toEqual([0, 0]);
    await ledger.flush();
    expect(await written()).toEqual([2, 2, 2]);
  });

  // Neither may a customer pay twice, nor may what was used get lost, because a connection broke at the wrong moment.
  it.each(['before', 'after'] as const)('writes once when its connection breaks %s the commit', async (when) => {
    const ledger = process();
    await use(ledger, 2);
    const restore = breakStatement('COMMIT', when);
    await ledger.flush();
    restore();
    expect(await written()).toEqual(when === 'after' ? [2, 2, 1] : [0, 0]);
    await use(ledger, 1);
    await ledger.flush();
    expect(await written()).toEqual([3, 3, 2]);
  });
});

describe('a process that dies', () => {
  it('loses at most what it had not written; the gate still knows it', async () => {
    const first = process();
    for (let times = 0; times < 4; times += 1) await use(first);
    await first.flush();
    await use(first);
    const second = process();
    expect(await use(second)).toBe(6);
    await second.flush();
    expect(await written()).toEqual([5, 5, 5]);
  });
});

describe('a gate that lost its counters', () => {
  it('lets never more pass than the limit, when one process asks it', async () => {
    const ledger = process();
    const outcomes: (number | string)[] = [];
    for (let times = 0; times < 15; times += 1) {
      if (times % 4 === 3) gate.lose();
      outcomes.push(await use(ledger));
    }
    expect(outcomes).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, ...Array<string>(5).fill('exhausted')]);
  });

  it('misses what other processes had not written, until they flush', async () => {
    const [first, second] = [process(), process()];
    for (let times = 0; times < 7; times += 1) await use(first);
    gate.lose();
    expect(await use(second)).toBe(1);
    await Promise.all([first.flush(), second.flush()]);
    expect(await use(second)).toBe(9);
    expect([await use(first), await use(first)]).toEqual([10, 'exhausted']);
  });
});

describe('without a gate', () => {
  it('the ledger holds the limit, also for what was not written before', async () => {
    const ledger = process();
    for (let times = 0; times < 6; times += 1) await use(ledger);
    gate.isAway = true;
    const passed: boolean[] = [];
    for (let times = 0; times < 3; times += 1) passed.push(await inTenant(() => ledger.charge(charge(2))));
    expect(passed).toEqual([true, true, false]);
    expect(await written()).toEqual([10, 10, 6]);
    expect(await inTenant(() => ledger.charge(charge(0)))).toBe(true);
  });

  it('many at once get exactly what is left', async () => {
    const ledgers = [process(), process()];
    const all = Array.from({ length: 30 }, (_, index) => inTenant(() => ledgers[index % 2]!.charge(charge())));
    expect((await Promise.all(all)).filter((passed) => passed)).toHaveLength(10);
    expect(await written()).toEqual([10, 10]);
  });

  it('what the ledger counted is known to the gate when it is back', async () => {
    const ledger = process();
    await use(ledger, 2);
    gate.isAway = true;
    await inTenant(() => ledger.charge(charge(5)));
    await ledger.flush();
    gate.isAway = false;
    expect(await use(ledger)).toBe(8);
    const other = process();
    await ledger.flush();
    expect([await use(other), await use(other), await use(other)]).toEqual([9, 10, 'exhausted']);
  });

  it('units can be taken back', async () => {
    const ledger = process();
    await inTenant(() => ledger.charge(charge(3)));
    ledger.add(charge().delta(-3, 0));
    await ledger.flush();
    expect(await written()).toEqual([0, 0]);
  });
});

/** Breaks the connection before or after a statement is executed, from now on. @returns what mends it. */
function breakStatement(text: string, when: 'before' | 'after'): () => void {
  return aroundStatements(db.dataSource, (send) => async (...parameters) => {
    if (!String(parameters[0]).includes(text)) return send(...parameters);
    await send(...(when === 'after' ? parameters : ['ROLLBACK']));
    throw Object.assign(new Error('Connection terminated unexpectedly'), { code: 'ECONNRESET' });
  });
}
