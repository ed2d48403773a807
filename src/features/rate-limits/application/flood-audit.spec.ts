import { beforeEach, describe, expect, it } from '@jest/globals';
import { AuditTrail, type AuditEntry } from '../../../kernel/audit.js';
import { runInContext, systemContext, tryContext } from '../../../kernel/context.js';
import { ManualClock } from '../../../kernel/time.js';
import { FloodAudit } from './flood-audit.js';

class Trail extends AuditTrail {
  readonly entries: AuditEntry[] = [];
  readonly tenants: unknown[] = [];
  async record(): Promise<void> {}
  note(entry: AuditEntry): void {
    this.entries.push(entry);
    this.tenants.push(tryContext()?.tenantId);
  }
}

const entry = (path: string): AuditEntry => ({ event: 'test.seen', outcome: 'failure', metadata: { path } });

let trail: Trail;
let clock: ManualClock;
let flood: FloodAudit;
beforeEach(() => {
  trail = new Trail();
  clock = new ManualClock();
  flood = new FloodAudit(trail, clock);
});
const metadata = (): unknown[] => trail.entries.map((written) => written.metadata);

describe('FloodAudit', () => {
  it('writes the first at once and counts those of the next ten seconds in one more', () => {
    for (let n = 0; n < 1000; n += 1) flood.note('a', entry('/x'));
    expect(metadata()).toEqual([{ path: '/x' }]);
    clock.advance(10_000);
    expect(metadata()).toEqual([{ path: '/x' }, { path: '/x', repeats: 999 }]);
    flood.note('a', entry('/y'));
    clock.advance(10_000);
    expect(metadata()).toEqual([{ path: '/x' }, { path: '/x', repeats: 999 }, { path: '/y' }]);
  });

  it('keeps kinds apart', () => {
    flood.note('a', entry('/a'));
    flood.note('b', entry('/b'));
    expect(metadata()).toEqual([{ path: '/a' }, { path: '/b' }]);
  });

  it('writes what it counted when the process stops, for the tenant that it was', () => {
    runInContext(systemContext('r', 't'), () => flood.note('a', entry('/x')));
    flood.note('a', entry('/x'));
    flood.beforeApplicationShutdown();
    clock.advance(60_000);
    expect(metadata()).toEqual([{ path: '/x' }, { path: '/x', repeats: 1 }]);
    expect(trail.tenants).toEqual(['t', 't']);
  });

  // Somebody with a whole network could otherwise open a window with each of its addresses.
  it('counts all kinds beyond ten thousand as one', () => {
    for (let n = 0; n < 10_500; n += 1) flood.note(`kind ${n}`, entry('/x'));
    expect(trail.entries).toHaveLength(10_001);
    clock.advance(10_000);
    expect(metadata().slice(10_001)).toEqual([{ path: '/x', repeats: 499 }]);
  });
});
