import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { AuditTrail } from '../../../kernel/audit.js';
import { Log } from '../../../kernel/log.js';
import { Clock } from '../../../kernel/time.js';
import { isDatabaseFailure, UnitOfWork } from '../../../platform/db/index.js';
import { SharedState } from '../../../platform/shared-state/index.js';
import { residencySettings, type ResidencySettings } from '../../residency/index.js';
import { vectorDbsErrors } from '../vector-dbs.errors.js';

/** A governed corpus, and what is wanted of it. */
export interface GovernedUse {
  readonly tenantId: string;
  readonly corpusId: string;
  readonly vectorDbId: number;
  readonly action: string;
}

/** Corpora that a process remembers, and for how long. */
const REMEMBERED = 10_000;
const TTL_MS = 5000;
const CHANNEL = 'vector-dbs.rules.changed';

/**
 * Corpora that were served a moment ago under a policy that only monitors: those still are while the database cannot
 * say. A refusal ends that in this process, and a change of what decides in all; where its message is lost, the time does.
 */
@Injectable()
export class ServedLately implements OnModuleInit {
  /** Of this process, since it started. */
  readonly totals = { failedOpen: 0 };
  /** Monotonic ms until which each counts. */
  readonly #until = new LRUCache<string, number>({ max: REMEMBERED });
  #changes = 0;

  constructor(
    private readonly uow: UnitOfWork,
    private readonly state: SharedState,
    private readonly clock: Clock,
    private readonly log: Log,
    private readonly audit: AuditTrail,
    @Inject(residencySettings.token) private readonly residency: ResidencySettings,
  ) {}

  async onModuleInit(): Promise<void> {
    await this.state.subscribe(CHANNEL, (tenantId) => this.#forgetAll(tenantId));
  }

  /** Before the rules are read: what is learned from them counts only if they did not change meanwhile. */
  get changes(): number {
    return this.#changes;
  }

  remember(use: GovernedUse, changes: number): void {
    if (changes === this.#changes) this.#until.set(placeOf(use), this.clock.monotonic() + TTL_MS);
  }

  forget(use: GovernedUse): void {
    this.#until.delete(placeOf(use));
  }

  /** In the transaction of a change: nothing that the tenant was served counts after it, in any process. */
  endWithCommit(): void {
    const { tenantId } = this.uow;
    this.uow.afterCommit(() => this.end(tenantId));
  }

  /** After the commit of a change. Best effort where the message is lost: nothing counts for longer than seconds. */
  end(tenantId: string): void {
    this.#forgetAll(tenantId);
    void this.state.publish(CHANNEL, tenantId).catch((error: unknown) => {
      this.log.warn({ err: error, tenant_id: tenantId }, 'other processes may remember what was served for seconds');
    });
  }

  /**
   * Returns when the use is allowed though the rules could not be read.
   *
   * @throws GOVERNANCE_UNAVAILABLE when it was not served lately, and always where RESIDENCY_FAIL_MODE is closed; the
   * error itself when it is no failure of the database.
   */
  requireLately(use: GovernedUse, error: unknown): void {
    if (!isDatabaseFailure(error)) throw error;
    const lately = (this.#until.get(placeOf(use)) ?? 0) > this.clock.monotonic();
    const allowed = lately && this.residency.failMode === 'open';
    const { corpusId, vectorDbId, action } = use;
    if (allowed) this.totals.failedOpen += 1;
    const seen = { vector_db_id: vectorDbId, allowed, failed_open_total: this.totals.failedOpen };
    this.log.error({ err: error, ...seen }, 'governance_check_failed');
    if (!allowed) throw vectorDbsErrors.GOVERNANCE_UNAVAILABLE({ cause: error });
    this.audit.note({
      event: 'vector_db.access.failed_open',
      outcome: 'failure',
      resourceType: 'corpus',
      resourceId: corpusId,
      errorCode: 'GOVERNANCE_UNAVAILABLE',
      metadata: {
        corpus_id: corpusId,
        vector_db_id: vectorDbId,
        action,
        error_class: error instanceof Error ? error.name : typeof error,
      },
    });
  }

  #forgetAll(tenantId: string): void {
    this.#changes += 1;
    for (const place of this.#until.keys()) if (place.startsWith(`${tenantId}\0`)) this.#until.delete(place);
  }
}

function placeOf({ tenantId, corpusId, vectorDbId }: GovernedUse): string {
  return `${tenantId}\0${corpusId}\0${vectorDbId}`;
}
