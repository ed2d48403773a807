import { Inject, Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { sha256Hex } from '../../../kernel/hash.js';
import { Clock } from '../../../kernel/time.js';
import { refilled, retryAfterMs, type BucketState, type TokenBucket } from '../../../platform/shared-state/index.js';
import { AuthenticationWatch } from '../../auth/index.js';
import { addressBlock } from '../domain/address-block.js';
import { rateLimitsSettings, type RateLimitsSettings } from '../rate-limits.settings.js';

const MOST_ADDRESSES = 50_000;
const MOST_CREDENTIALS = 10_000;

/**
 * Bounds the credentials that one address can have refused, and with them the look-ups and audit rows that it costs. In
 * process: what it protects is this process's share of the database. A credential that was accepted here before passes
 * all the same, because whole offices, or everybody behind a proxy that is not declared, can share an address with
 * somebody who guesses.
 */
@Injectable()
export class AddressThrottle extends AuthenticationWatch {
  readonly #bucket: TokenBucket;
  readonly #failures = new LRUCache<string, BucketState>({ max: MOST_ADDRESSES });
  /** Hashes of the headers that were accepted. */
  readonly #known = new LRUCache<string, true>({ max: MOST_CREDENTIALS });

  constructor(
    @Inject(rateLimitsSettings.token) private readonly settings: RateLimitsSettings,
    private readonly clock: Clock,
  ) {
    super();
    this.#bucket = { id: 'address', rate: settings.preauthRps, burst: settings.preauthBurst };
  }

  /** How long, in ms, the sender has to wait before it may try. */
  waitMs(address: string | undefined, credential: string | undefined): number {
    if (!this.settings.enabled) return 0;
    const wait = retryAfterMs(this.#bucket, this.#tokens(blockOf(address)), 1);
    if (wait === 0 || credential === undefined) return wait;
    return this.#known.get(sha256Hex(credential)) === true ? 0 : wait;
  }

  accepted(credential: string | undefined): void {
    if (this.settings.enabled && credential !== undefined) this.#known.set(sha256Hex(credential), true);
  }

  /** What was under way at once may lead below zero: it is waited for afterwards. */
  refused(address: string | undefined, credential: string | undefined): void {
    if (!this.settings.enabled) return;
    if (credential !== undefined) this.#known.delete(sha256Hex(credential));
    const block = blockOf(address);
    const tokens = Math.max(-this.#bucket.burst, this.#tokens(block) - 1);
    this.#failures.set(block, { tokens, at: this.clock.monotonic() });
  }

  #tokens(block: string): number {
    return refilled(this.#bucket, this.#failures.get(block), this.clock.monotonic());
  }
}

function blockOf(address: string | undefined): string {
  return address === undefined ? 'unknown' : addressBlock(address);
}
