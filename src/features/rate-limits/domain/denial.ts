export type Scope = 'api_key' | 'tenant';

export interface Denial {
  readonly scope: Scope;
  readonly retryAfterMs: number;
}

/** Who is blamed when the key, the tenant or both had too few tokens: the one with the longer wait, else the key. */
export function denialOf(keyRetryAfterMs: number, tenantRetryAfterMs: number): Denial {
  return tenantRetryAfterMs > keyRetryAfterMs
    ? { scope: 'tenant', retryAfterMs: tenantRetryAfterMs }
    : { scope: 'api_key', retryAfterMs: keyRetryAfterMs };
}
