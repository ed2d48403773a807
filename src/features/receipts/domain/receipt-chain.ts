import { sha256Hex } from '../../../kernel/hash.js';

/** What the first link of a chain goes on from. Hashes are lower-case hex. */
export const GENESIS = '0'.repeat(64);

/** A receipt as it is chained. */
export interface Chainable {
  readonly receiptId: string;
  readonly bodySha256: string;
  readonly signature: string | null;
}

export interface Link {
  readonly seq: number;
  readonly receiptId: string;
  readonly entryHash: string;
}

/** A link with its receipt as it is now: all null when it is gone. */
export interface LinkNow extends Link {
  readonly bodySha256: string | null;
  readonly signature: string | null;
}

/** A chain is looked at from its start to its end, again and again; after a fault from the start. */
export interface Checked {
  readonly checkedTo: number;
  readonly firstBadSeq: number | null;
}

/** @param fault found between `checkedTo` and `upTo`. */
export function afterCheck(
  { firstBadSeq }: Checked,
  { upTo, head, fault }: { readonly upTo: number; readonly head: number; readonly fault: number | undefined },
): Checked {
  if (fault !== undefined) return { checkedTo: 0, firstBadSeq: fault };
  const mended = firstBadSeq !== null && firstBadSeq <= upTo;
  return { checkedTo: upTo < head ? upTo : 0, firstBadSeq: mended ? null : firstBadSeq };
}

export function entryHash(previous: string, { bodySha256, signature }: Omit<Chainable, 'receiptId'>): string {
  return sha256Hex(`${previous}\n${bodySha256}\n${signature ?? ''}`);
}

/** Links for receipts that follow `last`. */
export function chained(last: Link | undefined, receipts: readonly Chainable[]): Link[] {
  let { seq, entryHash: hash } = last ?? { seq: 0, entryHash: GENESIS };
  return receipts.map((receipt) => {
    seq += 1;
    hash = entryHash(hash, receipt);
    return { seq, receiptId: receipt.receiptId, entryHash: hash };
  });
}

/**
 * First number at which the links are not what was chained after `before`: changed, removed, added or in another order.
 *
 * @param before the link before them; undefined at the start of the chain.
 */
export function firstFault(before: Link | undefined, links: readonly LinkNow[]): number | undefined {
  let { seq, entryHash: hash } = before ?? { seq: 0, entryHash: GENESIS };
  for (const link of links) {
    seq += 1;
    if (link.seq !== seq || link.bodySha256 === null) return seq;
    hash = entryHash(hash, { bodySha256: link.bodySha256, signature: link.signature });
    if (hash !== link.entryHash) return seq;
  }
  return undefined;
}
