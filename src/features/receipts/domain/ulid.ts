import type { Ids } from '../../../kernel/ids.js';
import type { Clock } from '../../../kernel/time.js';

const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const RANDOM_BITS = 80n;
const MOST_RANDOM = (1n << RANDOM_BITS) - 1n;
const ULID = /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/;

export function isUlid(text: string): boolean {
  return ULID.test(text);
}

/** The instant in a ULID. Those of one process never go back, whatever the clock does. */
export function timeOf(ulid: string): Date {
  return new Date(Number(decoded(ulid) >> RANDOM_BITS));
}

/** The lowest ULID of an instant. */
export function lowestAt(instant: Date): string {
  return encoded(BigInt(instant.getTime()) << RANDOM_BITS);
}

/**
 * Identifiers that sort by their creation: 48 bits of milliseconds, 80 random ones. Each is greater than the one before,
 * within a millisecond and when the clock runs backwards, too.
 */
export class Ulids {
  #last = 0n;

  constructor(
    private readonly clock: Clock,
    private readonly ids: Ids,
  ) {}

  next(): string {
    const now = BigInt(this.clock.now().getTime());
    this.#last = now > this.#last >> RANDOM_BITS ? (now << RANDOM_BITS) | this.#random() : this.#last + 1n;
    return encoded(this.#last);
  }

  /** The highest bit stays free, so that counting on within a millisecond does not run into the next one. */
  #random(): bigint {
    const bytes = Buffer.from(this.ids.secret(Number(RANDOM_BITS) / 8), 'base64url');
    return BigInt(`0x${bytes.toString('hex')}`) & (MOST_RANDOM >> 1n);
  }
}

function encoded(value: bigint): string {
  let text = '';
  for (let rest = value; text.length < 26; rest >>= 5n) text = (ALPHABET[Number(rest & 31n)] ?? '') + text;
  return text;
}

function decoded(text: string): bigint {
  return [...text].reduce((value, letter) => (value << 5n) | BigInt(ALPHABET.indexOf(letter)), 0n);
}
