import { describe, expect, it } from '@jest/globals';
import type { UnitOfWork } from '../../../platform/db/index.js';
import { GENESIS, seal, verify, type CanonicalEvent, type Seal } from '../domain/chain.js';
import type { AuditChainRepository, Horizon, UnsealedEvent } from '../persistence/audit-chain.repository.js';
import { AuditSealing } from './audit-sealing.js';

/** A trail of which transactions and other processes are played. */
class Trail implements Partial<AuditChainRepository> {
  events: UnsealedEvent[] = [];
  writers: string[] = [];
  locked = false;
  readonly sealed: (readonly [string, Seal])[] = [];

  readonly sealing = new AuditSealing(
    { acrossTenants: (_reason: string, fn: () => unknown) => fn() } as unknown as UnitOfWork,
    this as unknown as AuditChainRepository,
  );

  horizon(): Promise<Horizon> {
    return Promise.resolve({ id: Math.max(0, ...this.events.map(({ id }) => id)), writers: this.writers });
  }
  stillWriting(writers: readonly string[]): Promise<string[]> {
    return Promise.resolve(this.writers.filter((writer) => writers.includes(writer)));
  }
  lockSealing(): Promise<boolean> {
    return Promise.resolve(!this.locked);
  }
  unsealed(upTo: number, limit: number): Promise<UnsealedEvent[]> {
    const done = Math.max(0, ...this.sealed.flatMap(([, { ids }]) => ids));
    return Promise.resolve(this.events.filter(({ id }) => id > done && id <= upTo).slice(0, limit));
  }
  heads(chains: readonly string[]): ReturnType<AuditChainRepository['heads']> {
    const known = this.sealed.filter(([chain]) => chains.includes(chain));
    return Promise.resolve(
      new Map(known.map(([chain, { ids, root }]) => [chain, { id: ids.at(-1) ?? 0, hash: root }])),
    );
  }
  addSeals(seals: ReadonlyMap<string, Seal>): Promise<void> {
    this.sealed.push(...seals);
    return Promise.resolve();
  }
}

const event = (id: number, chain = 't'): UnsealedEvent => ({ id, chain, canonical: `{"id": ${id}}` });

describe('AuditSealing', () => {
  it('seals nothing while a transaction may still come with a lower id, and waits for no later one', async () => {
    const trail = new Trail();
    trail.events = [event(2)];
    trail.writers = ['slow'];
    expect(await trail.sealing.run()).toBe(0);
    trail.writers = ['slow', 'late'];
    expect(await trail.sealing.run()).toBe(0);
    trail.events = [event(1), event(2), event(4)];
    trail.writers = ['late'];
    expect(await trail.sealing.run()).toBe(2);
    expect(trail.sealed.map(([, { ids }]) => ids)).toEqual([[1, 2]]);
    trail.writers = [];
    expect(await trail.sealing.run()).toBe(1);
  });

  it('leaves the work to another process that is at it', async () => {
    const trail = new Trail();
    trail.events = [event(1)];
    trail.locked = true;
    expect(await trail.sealing.run()).toBe(0);
    expect(trail.sealed).toEqual([]);
  });

  it('gives each tenant a chain of its own that goes on from its last seal', async () => {
    const trail = new Trail();
    trail.events = [event(1, 'a'), event(2, 'b'), event(3, 'a')];
    await trail.sealing.run();
    trail.events.push(event(4, 'b'), event(5, 'a'));
    await trail.sealing.run();
    const of = (chain: string): Seal[] => trail.sealed.filter(([own]) => own === chain).map(([, found]) => found);
    const events = (chain: string): CanonicalEvent[] => trail.events.filter((own) => own.chain === chain);
    for (const chain of ['a', 'b']) {
      const stretch = { before: undefined, anchor: undefined, seals: of(chain), events: events(chain) };
      expect(verify(stretch)).toEqual({ checked: events(chain).length, firstBadId: undefined });
    }
    expect(of('a').map(({ ids }) => ids)).toEqual([[1, 3], [5]]);
  });

  it('works through more than it takes at once', async () => {
    const trail = new Trail();
    trail.events = Array.from({ length: 2500 }, (_, n) => event(n + 1));
    expect(await trail.sealing.run()).toBe(2500);
    expect(trail.sealed.map(([, { ids }]) => ids.length)).toEqual([1000, 1000, 500]);
  });
});

describe('the chain', () => {
  // Whoever verifies an export with a program of their own relies on this.
  it('is SHA-256 over the previous hash and the canonical text', () => {
    const [first, second] = seal(GENESIS, [event(1), event(2)]).hashes;
    expect([first, second]).toEqual([
      '8c45dd697343f41210cf5bf631798762a81795dc66412c2f4c41c64143e94a40',
      'b008d66990d76b147b117b790e2e0154ab64bebe328d1c0f8750204ea7e29d0d',
    ]);
  });
});
