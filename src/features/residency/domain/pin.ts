/** The pin of a tenant as it is stored: a region, nothing, or what was never valid. */
export type Pin = unknown;

export type PinVerdict = 'unpinned' | 'here' | 'elsewhere' | 'malformed';

/** A region as it may be set: no blanks, and nothing that cannot be seen. Empty for none. */
export const REGION = /^[^\s\p{C}]{0,64}$/u;

/** Characters of a pin that are shown; one that was set through the API has no more. */
const MOST_SHOWN = 64;

/** Exact and case-sensitive: regions that only look alike are different ones. */
export function pinVerdict(pin: Pin, zone: string): PinVerdict {
  if (pin === undefined || pin === null || pin === '') return 'unpinned';
  if (typeof pin !== 'string') return 'malformed';
  return pin === zone ? 'here' : 'elsewhere';
}

export function refuses(verdict: PinVerdict): boolean {
  return verdict === 'elsewhere' || verdict === 'malformed';
}

/** As it is told to the caller. */
export function shownPin(pin: Pin): string {
  return (typeof pin === 'string' ? pin : JSON.stringify(pin)).slice(0, MOST_SHOWN);
}
