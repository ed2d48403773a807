import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { Log } from '../../../kernel/log.js';
import { Clock } from '../../../kernel/time.js';
import { SharedState } from '../../../platform/shared-state/index.js';
import { pinVerdict, refuses, shownPin, type Pin } from '../domain/pin.js';
import { residencySettings, type ResidencySettings } from '../residency.settings.js';
import { CONFIG_CHANGED } from './tenant-configs.js';

const MOST_TENANTS = 10_000;
const KEEP_SECONDS = 24 * 3600;
/** How often what refuses is shared anew, so that it does not end while it is seen. */
const RENEW_MS = 3_600_000;

/** What refuses a tenant, as it is shown; null when nothing does. */
export type Refusing = string | null;

/**
 * What the last pin that could be read said of each tenant: a known violation stays one while the table is away. In
 * process for all tenants seen; what refuses is shared as well, for processes that started or looked before it did.
 */
@Injectable()
export class LastKnownPins implements OnModuleInit {
  readonly #seen = new LRUCache<string, { readonly refusing: Refusing; readonly sharedAt: number }>({
    max: MOST_TENANTS,
  });

  constructor(
    private readonly state: SharedState,
    private readonly clock: Clock,
    private readonly log: Log,
    @Inject(residencySettings.token) private readonly settings: ResidencySettings,
  ) {}

  /** What was seen before a change says nothing any more. */
  async onModuleInit(): Promise<void> {
    if (this.settings.region === undefined) return;
    await this.state.subscribe(CONFIG_CHANGED, (tenantId) => void this.#seen.delete(tenantId));
  }

  /** Nobody waits for what is shared. @param changed whether the pin was just set, so that others may know another. */
  learn(tenantId: string, pin: Pin, changed = false): Refusing {
    const { region } = this.settings;
    if (region === undefined) return null;
    const refusing = refuses(pinVerdict(pin, region)) ? shownPin(pin) : null;
    const before = this.#seen.get(tenantId) ?? { refusing: null, sharedAt: 0 };
    const now = this.clock.monotonic();
    const isOld = refusing !== null && now - before.sharedAt >= RENEW_MS;
    const isNews = changed || refusing !== before.refusing || isOld;
    this.#seen.set(tenantId, { refusing, sharedAt: isNews ? now : before.sharedAt });
    if (isNews) this.#share(tenantId, refusing);
    return refusing;
  }

  /** Undefined for a tenant that was never seen. Never rejects. */
  async find(tenantId: string): Promise<{ readonly refusing: Refusing } | undefined> {
    const seen = this.#seen.get(tenantId);
    if (seen !== undefined && seen.refusing !== null) return seen;
    const shared = await this.state.get(this.#key(tenantId)).catch(() => undefined);
    return shared === undefined ? seen : { refusing: shared };
  }

  #share(tenantId: string, refusing: Refusing): void {
    const key = this.#key(tenantId);
    const shared = refusing === null ? this.state.delete(key) : this.state.set(key, refusing, KEEP_SECONDS);
    shared.catch((error: unknown) => {
      this.log.warn({ err: error, tenant_id: tenantId }, 'a pin is not known to other processes');
    });
  }

  #key(tenantId: string): string {
    return `residency:${this.settings.region}:${tenantId}`;
  }
}
