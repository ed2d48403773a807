import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { SystemIds } from '../../../kernel/ids.js';
import { ManualClock } from '../../../kernel/time.js';
import { isEmitted } from './emission.js';
import { afterCheck, chained, entryHash, firstFault, GENESIS, type LinkNow } from './receipt-chain.js';
import { isUlid, lowestAt, timeOf, Ulids } from './ulid.js';

describe('the ids of receipts', () => {
  const START = new Date('2026-01-02T03:04:05.678Z');

  class FallingClock extends ManualClock {
    #now = START.getTime();
    override now(): Date {
      this.#now -= 1000;
      return new Date(this.#now);
    }
  }

  it('grow within a millisecond, and when the clock runs backwards', () => {
    for (const clock of [new ManualClock(START), new FallingClock()]) {
      const ulids = new Ulids(clock, new SystemIds());
      const made = Array.from({ length: 2000 }, () => ulids.next());
      expect([...new Set(made)].sort()).toEqual(made);
      expect(made.every(isUlid)).toBe(true);
    }
  });

  it('tell their instant', () => {
    const ulid = new Ulids(new ManualClock(START), new SystemIds()).next();
    expect(timeOf(ulid)).toEqual(START);
    expect(lowestAt(START) <= ulid && ulid < lowestAt(new Date(START.getTime() + 1))).toBe(true);
    // As other implementations write this instant.
    expect(lowestAt(new Date(1469918176385)).slice(0, 10)).toBe('01ARYZ6S41');
  });

  it.each(['', 'x', '0'.repeat(25), '0'.repeat(27), `8${'0'.repeat(25)}`, `${'0'.repeat(25)}I`, `${'0'.repeat(25)}a`])(
    'are not %j',
    (text) => expect(isUlid(text)).toBe(false),
  );
});

describe('the emission of a receipt', () => {
  const facts = { disabled: false, tenant: undefined, requested: false, byDefault: 'always' } as const;
  it.each([
    [{ disabled: true, tenant: 'always', requested: true }, false],
    [{ tenant: 'always', byDefault: 'never' }, true],
    [{ tenant: 'never', requested: true }, false],
    [{ tenant: 'on_request', requested: true }, true],
    [{ tenant: 'on_request' }, false],
    [{ requested: true, byDefault: 'never' }, true],
    [{}, true],
    [{ byDefault: 'on_request' }, false],
    [{ byDefault: 'never' }, false],
  ] as const)('%j: %s', (given, emit) => {
    expect(isEmitted({ ...facts, ...given })).toBe(emit);
  });
});

describe('the chain', () => {
  const receipts = Array.from({ length: 5 }, (_, at) => ({
    receiptId: `r${at}`,
    bodySha256: String(at).repeat(64),
    signature: at === 2 ? null : `s${at}`,
  }));
  const links = chained(undefined, receipts);
  const now: LinkNow[] = links.map((link, at) => ({
    ...link,
    bodySha256: receipts[at]?.bodySha256 ?? '',
    signature: receipts[at]?.signature ?? null,
  }));

  it('numbers from 1 and hashes previous, body and signature', () => {
    expect(links.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5]);
    // printf of the three lines | sha256sum
    expect(entryHash(GENESIS, { bodySha256: 'b', signature: 's' })).toBe(
      'fb387a53ffa22903caa1debfd35c297ebd1a4a23e37a43b43808df70c93a1d3e',
    );
    expect(firstFault(undefined, now)).toBeUndefined();
    expect(firstFault(links[1], now.slice(2))).toBeUndefined();
    expect(chained(links[2], receipts.slice(3))).toEqual(links.slice(3));
  });

  it('is looked at in turn; a fault stays known until its place is in order again', () => {
    const fresh = { checkedTo: 0, firstBadSeq: null };
    const halfway = afterCheck(fresh, { upTo: 5, head: 9, fault: undefined });
    expect(halfway).toEqual({ checkedTo: 5, firstBadSeq: null });
    expect(afterCheck(halfway, { upTo: 9, head: 9, fault: undefined })).toEqual(fresh);
    const broken = afterCheck(halfway, { upTo: 9, head: 9, fault: 7 });
    expect(broken).toEqual({ checkedTo: 0, firstBadSeq: 7 });
    const again = afterCheck(broken, { upTo: 5, head: 9, fault: undefined });
    expect(again).toEqual({ checkedTo: 5, firstBadSeq: 7 });
    expect(afterCheck(again, { upTo: 9, head: 9, fault: undefined })).toEqual(fresh);
  });

  it('breaks at the first link that is changed, removed, moved or added', () => {
    const at = fc.integer({ min: 0, max: 4 });
    fc.assert(
      fc.property(at, fc.constantFrom('body', 'signature', 'gone', 'link', 'swap', 'twice'), (place, how) => {
        const changed = [...now];
        const link = changed[place];
        if (link === undefined) return;
        if (how === 'body') changed[place] = { ...link, bodySha256: 'x'.repeat(64) };
        if (how === 'signature') changed[place] = { ...link, signature: 'x' };
        if (how === 'gone') changed[place] = { ...link, bodySha256: null, signature: null };
        if (how === 'link') changed.splice(place, 1);
        if (how === 'twice') changed.splice(place, 0, link);
        if (how === 'swap') {
          const other = changed[place + 1];
          if (other === undefined) return;
          changed[place] = {
            ...link,
            receiptId: other.receiptId,
            bodySha256: other.bodySha256,
            signature: other.signature,
          };
        }
        const fault = firstFault(undefined, changed);
        // Cut off at its end, a chain is shorter and in order: only its head, kept elsewhere, tells.
        if (how === 'link' && place === 4) expect(fault).toBeUndefined();
        else expect(fault).toBe(how === 'twice' ? place + 2 : place + 1);
      }),
    );
  });
});
