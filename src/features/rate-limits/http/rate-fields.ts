import type { BucketLevel, TokenBucket } from '../../../platform/shared-state/index.js';

/** A bucket as a client knows it, with what is in it. */
export interface Limit {
  /** `<scope>:<class>`; the policy's name. */
  readonly policy: string;
  readonly bucket: TokenBucket;
  readonly level: BucketLevel;
}

/**
 * The fields of draft-ietf-httpapi-ratelimit-headers, as structured lists. Quota and remainder count requests like
 * this one, which may take several tokens. `w` is the time in which a bucket fills; `t` the time until it is full, or,
 * of a bucket that refused, until it has enough, as in `Retry-After`.
 */
export function rateFields(limits: readonly Limit[], cost: number): Record<'RateLimit-Policy' | 'RateLimit', string> {
  const requests = (tokens: number): number => Math.max(0, Math.floor(tokens / Math.max(1, cost)));
  const policies = limits.map(
    ({ policy, bucket: { rate, burst } }) =>
      `"${policy}";q=${requests(burst)}${rate > 0 ? `;w=${Math.ceil(burst / rate)}` : ''}`,
  );
  const levels = limits.map(({ policy, bucket: { rate, burst }, level: { tokens, retryAfterMs } }) => {
    if (retryAfterMs > 0) return `"${policy}";r=0;t=${Math.ceil(retryAfterMs / 1000)}`;
    return `"${policy}";r=${requests(tokens)}${rate > 0 ? `;t=${Math.ceil((burst - tokens) / rate)}` : ''}`;
  });
  return { 'RateLimit-Policy': policies.join(', '), RateLimit: levels.join(', ') };
}
