import type { TokenBucket } from './traffic-gate.js';

/** What is kept of a bucket; `at` in ms on the clock of whoever keeps it. */
export interface BucketState {
  readonly tokens: number;
  readonly at: number;
}

/**
 * Sums of fractions are off by a hair, and who waited exactly as told must pass. What is taken too early is missing
 * afterwards, so nobody gains by it.
 */
export const HAIR = 1e-6;

const MAX_EXPIRY_S = 366 * 24 * 3600;

/** Tokens at `now`. A clock that went back gives none and takes none. */
export function refilled({ rate, burst }: TokenBucket, state: BucketState | undefined, now: number): number {
  if (state === undefined) return burst;
  return Math.min(burst, state.tokens + (Math.max(0, now - state.at) / 1000) * rate);
}

export function hasEnough(tokens: number, cost: number): boolean {
  return tokens + HAIR >= cost;
}

/** Until a bucket with so many tokens has enough; 1000 when it never will. */
export function retryAfterMs({ rate }: TokenBucket, tokens: number, cost: number): number {
  if (hasEnough(tokens, cost)) return 0;
  return rate <= 0 ? 1000 : Math.ceil(((cost - tokens) / rate) * 1000);
}

/** How long a bucket that nobody asks is kept: until it is certainly full again; at most a year. */
export function expirySeconds({ rate, burst }: TokenBucket): number {
  return Math.min(MAX_EXPIRY_S, Math.max(1, rate <= 0 ? burst : Math.ceil((burst / rate) * 2)));
}
