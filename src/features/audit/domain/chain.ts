import { createHash } from 'node:crypto';

/** Chain of the events that belong to no tenant, such as refused credentials. No tenant can have this id. */
export const CHAIN_OF_NOBODY = '-';

/** What the first event of a chain goes on from. Hashes are lower-case hex. */
export const GENESIS = '0'.repeat(64);

/** An event as it is hashed: every column, in the text that the database itself makes of them. */
export interface CanonicalEvent {
  readonly id: number;
  readonly canonical: string;
}

/** Hashes of some events of one chain, in the order of their ids. `root` is the last of them. */
export interface Seal {
  readonly ids: readonly number[];
  readonly hashes: readonly string[];
  readonly root: string;
}

/** A place in the chain: an event and its hash. */
export interface Link {
  readonly id: number;
  readonly hash: string;
}

/** Some seals in a row with everything that has to do with them, as it was at one moment. */
export interface SealedStretch {
  /** Last event that the seals hold; undefined when there are none. */
  readonly last: number | undefined;
  /** Last event before the seals that another seal holds. */
  readonly before: Link | undefined;
  /** Last event that retention removed. */
  readonly anchor: Link | undefined;
  readonly seals: readonly Seal[];
  /** Every event of the chain after `before` and up to the last sealed one, by id. */
  readonly events: readonly CanonicalEvent[];
}

/** `row_hash = SHA256(prev_hash ‖ canonical_json(row))`. */
export function chainHash(previous: string, canonical: string): string {
  return createHash('sha256').update(Buffer.from(previous, 'hex')).update(canonical).digest('hex');
}

/** Seals events that follow `previous` in their chain. There is at least one. */
export function seal(previous: string, events: readonly CanonicalEvent[]): Seal {
  let root = previous;
  const hashes = events.map(({ canonical }) => (root = chainHash(root, canonical)));
  return { ids: events.map(({ id }) => id), hashes, root };
}

export interface Verdict {
  /** Events whose hash is right. */
  readonly checked: number;
  /** First event that was changed, removed or slipped in; undefined when the stretch is as it was sealed. */
  readonly firstBadId: number | undefined;
}

/** Compares events with their seals. */
export function verify({ before, anchor, seals, events }: Omit<SealedStretch, 'last'>): Verdict {
  let previous = before?.hash ?? anchor?.hash ?? GENESIS;
  let checked = 0;
  for (const link of seals.flatMap(linksOf)) {
    if (anchor !== undefined && link.id <= anchor.id) {
      if (link.id === anchor.id && link.hash !== anchor.hash) return { checked, firstBadId: link.id };
    } else {
      const firstBadId = faultAt(link, previous, events[checked]);
      if (firstBadId !== undefined) return { checked, firstBadId };
      checked += 1;
    }
    previous = link.hash;
  }
  return { checked, firstBadId: events[checked]?.id };
}

/** What a seal says. Its last hash is the root, with which the next seal goes on. */
function linksOf({ ids, hashes, root }: Seal): Link[] {
  return ids.map((id, place) => ({ id, hash: place === ids.length - 1 ? root : (hashes[place] ?? '') }));
}

/** The id to report when `event`, the next one there is, is not what was sealed. */
function faultAt(link: Link, previous: string, event: CanonicalEvent | undefined): number | undefined {
  if (event === undefined || event.id > link.id) return link.id;
  if (event.id < link.id) return event.id;
  return chainHash(previous, event.canonical) === link.hash ? undefined : link.id;
}
