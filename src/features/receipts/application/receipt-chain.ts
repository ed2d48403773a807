import { Inject, Injectable } from '@nestjs/common';
import { runInContext, systemContext } from '../../../kernel/context.js';
import { Ids } from '../../../kernel/ids.js';
import { Log } from '../../../kernel/log.js';
import { Clock } from '../../../kernel/time.js';
import { UnitOfWork } from '../../../platform/db/index.js';
import { afterCheck, chained, firstFault, type Link } from '../domain/receipt-chain.js';
import { lowestAt } from '../domain/ulid.js';
import { ReceiptChainRepository } from '../persistence/receipt-chain.repository.js';
import { receiptsSettings, type ReceiptsSettings } from '../receipts.settings.js';

const BATCH = 500;
/** Links before a receipt that are looked at when it is asked about. Those further back are looked at in turn. */
const STRETCH = 100;
/** Of which a round looks at a batch of links each. */
const TENANTS_A_ROUND = 10;

export interface ChainVerification {
  /** First link that is not as it was chained. */
  readonly firstBadSeq: number | null;
  readonly checked: number;
  /** The newest link. Kept elsewhere, it proves later that nothing was cut off. */
  readonly head: Link | null;
}

/**
 * The receipts of a tenant as a chain of hashes, made apart from the answers: a signature says that a receipt is
 * genuine, the chain that none is missing.
 */
@Injectable()
export class ReceiptChain {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly chains: ReceiptChainRepository,
    private readonly clock: Clock,
    private readonly ids: Ids,
    private readonly log: Log,
    @Inject(receiptsSettings.token) private readonly settings: Pick<ReceiptsSettings, 'chainLagSeconds'>,
  ) {}

  /**
   * Chains what is old enough, of all tenants; one that fails does not keep the others from it. Harmless in several
   * processes.
   *
   * @returns how many receipts that were.
   */
  async extend(): Promise<number> {
    let total = 0;
    for (const tenantId of await this.chains.tenantsToChain()) {
      total += (await this.#of(tenantId, () => this.#extendTenant())) ?? 0;
    }
    return total;
  }

  /** Looks again at some links of the tenants whose turn it is, so that what is gone shows at all that follow it. */
  async check(): Promise<void> {
    for (const tenantId of await this.chains.tenantsToCheck(TENANTS_A_ROUND)) {
      await this.#of(tenantId, () => this.uow.run(() => this.#checkTenant(tenantId)));
    }
  }

  /**
   * Whether a receipt is in the chain, the links right before it are in order, and no fault is known further back; null
   * while it is not chained.
   */
  async isIntactAt(receiptId: string): Promise<boolean | null> {
    return this.uow.read(async () => {
      const {
        seq = null,
        chained: isChained = false,
        firstBadSeq = null,
      } = (await this.chains.placeOf(receiptId)) ?? {};
      if (seq === null) return isChained ? false : null;
      if (firstBadSeq !== null && firstBadSeq <= seq) return false;
      const after = Math.max(0, seq - STRETCH);
      return (await this.#faultBetween(after, seq)) === undefined;
    });
  }

  /** Every link of the context's tenant. */
  async verify(): Promise<ChainVerification> {
    const head = (await this.uow.read(() => this.chains.last())) ?? null;
    for (let after = 0; ; after += BATCH) {
      const upTo = Math.min(after + BATCH, head?.seq ?? 0);
      const fault = await this.uow.read(() => this.#faultBetween(after, upTo));
      if (fault !== undefined) return { firstBadSeq: fault, checked: fault - 1, head };
      if (upTo === (head?.seq ?? 0)) return { firstBadSeq: null, checked: upTo, head };
    }
  }

  async #faultBetween(after: number, upTo: number): Promise<number | undefined> {
    if (upTo === after) return undefined;
    const links = await this.chains.links(Math.max(0, after - 1), upTo, upTo - after + 1);
    const before = after === 0 ? undefined : links.shift();
    if (after > 0 && before?.seq !== after) return after;
    const fault = firstFault(before, links);
    return fault ?? (links.length === upTo - after ? undefined : after + links.length + 1);
  }

  async #of<T>(tenantId: string, work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await runInContext(systemContext(this.ids.uuid(), tenantId), work);
    } catch (error) {
      this.log.error({ err: error, tenant_id: tenantId }, 'the receipt chain of a tenant was left as it is');
      return undefined;
    }
  }

  async #checkTenant(tenantId: string): Promise<void> {
    if (!(await this.chains.lock())) return;
    const checked = await this.chains.checked();
    const head = (await this.chains.last())?.seq ?? 0;
    const from = checked.checkedTo < head ? checked.checkedTo : 0;
    const upTo = Math.min(from + BATCH, head);
    const fault = await this.#faultBetween(from, upTo);
    if (fault !== undefined && checked.firstBadSeq === null)
      this.log.error({ tenant_id: tenantId, seq: fault }, 'receipt_chain_broken');
    await this.chains.recordCheck(afterCheck(checked, { upTo, head, fault }), this.clock.now());
  }

  async #extendTenant(): Promise<number> {
    const below = lowestAt(new Date(this.clock.now().getTime() - this.settings.chainLagSeconds * 1000));
    for (let total = 0; ;) {
      const added = await this.uow.run(() => this.#append(below));
      total += added;
      if (added < BATCH) return total;
    }
  }

  async #append(below: string): Promise<number> {
    if (!(await this.chains.lock())) return 0;
    await this.chains.adoptLinked();
    const receipts = await this.chains.unchained(below, BATCH);
    if (receipts.length > 0) await this.chains.append(chained(await this.chains.last(), receipts));
    return receipts.length;
  }
}
