import { LRUCache } from 'lru-cache';
import type { Principal } from '../../../kernel/principal.js';
import type { Clock } from '../../../kernel/time.js';

const CAPACITY = 10_000;

interface Entry {
  readonly principal: Principal;
  /** Wall clock, ms. The earlier of the cache's lifetime and the key's own expiry. */
  readonly until: number;
}

/** Principals by the hash of their token. Holds no token, at most 10,000 entries, and nothing past its expiry. */
export class PrincipalCache {
  readonly #entries = new LRUCache<string, Entry>({ max: CAPACITY });
  #evictions = 0;

  constructor(
    private readonly ttlSeconds: number,
    private readonly clock: Clock,
  ) {}

  get(tokenHash: string): Principal | undefined {
    const entry = this.#entries.get(tokenHash);
    if (entry === undefined) return undefined;
    if (entry.until > this.clock.now().getTime()) return entry.principal;
    this.#entries.delete(tokenHash);
    return undefined;
  }

  /** Taken before a lookup and given to `set` with what it found. */
  mark(): number {
    return this.#evictions;
  }

  /**
   * Remembers what a lookup found, unless a key was evicted since its mark: it may have read what is no longer true,
   * and nothing would evict it again. Evictions are too rare to ask whose key it was.
   */
  set(tokenHash: string, principal: Principal, expiresAt: Date | null, mark: number): void {
    if (this.ttlSeconds === 0 || mark !== this.#evictions) return;
    const ttl = this.clock.now().getTime() + this.ttlSeconds * 1000;
    this.#entries.set(tokenHash, { principal, until: Math.min(ttl, expiresAt?.getTime() ?? Infinity) });
  }

  /** Forgets a key. Rare, so a walk over the entries is cheaper than a second index. */
  evictKey(apiKeyId: string): void {
    this.#evictions += 1;
    for (const [hash, entry] of this.#entries.entries()) {
      if (entry.principal.apiKeyId === apiKeyId) this.#entries.delete(hash);
    }
  }
}
