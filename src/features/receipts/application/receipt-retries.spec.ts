import { describe, expect, it } from '@jest/globals';
import { SystemIds } from '../../../kernel/ids.js';
import { Log } from '../../../kernel/log.js';
import { ManualClock } from '../../../kernel/time.js';
import type { UnitOfWork } from '../../../platform/db/index.js';
import type { SharedState } from '../../../platform/shared-state/index.js';
import type { NewReceipt, ReceiptsRepository } from '../persistence/receipts.repository.js';
import { ReceiptRetries } from './receipt-retries.js';

const MINUTE_MS = 60_000;

class KeepingLog extends Log {
  readonly lost: unknown[] = [];
  debug(): void {}
  info(): void {}
  warn(): void {}
  error({ receipt_id: id }: { readonly receipt_id: string }, message: string): void {
    if (message === 'receipt_lost') this.lost.push(id);
  }
}

/** A database that refuses receipts until it is told otherwise. */
class Place {
  readonly clock = new ManualClock();
  readonly log = new KeepingLog();
  readonly stored: string[] = [];
  tries = 0;
  /** What an attempt waits for. */
  answer: () => Promise<void> = () => Promise.reject(new Error('away'));
  readonly retries: ReceiptRetries;

  constructor() {
    const uow = { outside: (fn: () => unknown) => fn(), read: (fn: () => unknown) => fn() } as unknown as UnitOfWork;
    const receipts = { insert: ({ row }: NewReceipt) => this.#insert(row.receipt_id) } as ReceiptsRepository;
    const kept = { set: () => Promise.resolve(), delete: () => Promise.resolve() } as unknown as SharedState;
    this.retries = new ReceiptRetries(uow, receipts, kept, this.clock, new SystemIds(), this.log);
  }

  add(id: string): void {
    const content = { row: { tenant_id: 't', receipt_id: id } } as NewReceipt;
    this.retries.add({ tenantId: 't', receiptId: id, content });
  }

  /** Lets the time pass, and everything that falls due come to its end. */
  async pass(ms: number): Promise<void> {
    this.clock.advance(ms);
    for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
  }

  async #insert(id: string): Promise<void> {
    this.tries += 1;
    await this.answer();
    this.stored.push(id);
  }
}

describe('receipts that could not be stored', () => {
  it('are tried again with growing pauses until they are', async () => {
    const place = new Place();
    place.add('a');
    for (const [ms, tries] of [
      [999, 0],
      [1, 1],
      [1999, 1],
      [1, 2],
      [4000, 3],
    ] as const) {
      await place.pass(ms);
      expect(place.tries).toBe(tries);
    }
    place.answer = () => Promise.resolve();
    await place.pass(8000);
    expect([place.stored, place.log.lost]).toEqual([['a'], []]);
    await place.pass(10 * MINUTE_MS);
    expect(place.tries).toBe(4);
  });

  it('are given up after a quarter of an hour, and named', async () => {
    const place = new Place();
    place.add('a');
    for (let minute = 0; minute < 14; minute += 1) await place.pass(MINUTE_MS);
    expect(place.log.lost).toEqual([]);
    for (let minute = 0; minute < 3; minute += 1) await place.pass(MINUTE_MS);
    expect(place.log.lost).toEqual(['a']);
    const { tries } = place;
    await place.pass(10 * MINUTE_MS);
    expect(place.tries).toBe(tries);
  });

  it('are at most 500; those beyond are lost, and named', () => {
    const place = new Place();
    for (let at = 0; at < 502; at += 1) place.add(`r${at}`);
    expect(place.log.lost).toEqual(['r500', 'r501']);
  });

  it('are tried once more when the process ends, and named when that fails', async () => {
    const place = new Place();
    place.add('a');
    await place.retries.onApplicationShutdown();
    expect([place.tries, place.log.lost]).toEqual([1, ['a']]);
  });

  it('are named, too, when the process ends while they are tried', async () => {
    const place = new Place();
    place.add('a');
    let refuse = (): void => undefined;
    const refused = new Promise<void>((_, reject) => (refuse = () => reject(new Error('away'))));
    place.answer = () => refused;
    await place.pass(1000);
    const ended = place.retries.onApplicationShutdown();
    refuse();
    await ended;
    expect([place.log.lost, place.stored]).toEqual([['a'], []]);
  });
});
