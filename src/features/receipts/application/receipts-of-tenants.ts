import { Injectable } from '@nestjs/common';
import { inTenant } from '../../../kernel/context.js';
import { ResidencyGate } from '../../residency/index.js';
import { isUlid } from '../domain/ulid.js';
import { ReceiptsRepository } from '../persistence/receipts.repository.js';
import { receiptsErrors } from '../receipts.errors.js';

/** Tenants that one session is looked for in. */
const MOST_TENANTS = 1000;

/** Lets an operator look at receipts of other tenants: the work is done in the tenant whose receipts they are. */
@Injectable()
export class ReceiptsOfTenants {
  constructor(
    private readonly receipts: ReceiptsRepository,
    private readonly residency: ResidencyGate,
  ) {}

  /** @throws RECEIPT_NOT_FOUND; residency.mismatch for a tenant that is not served here. */
  async whereItIs<T>(receiptId: string, work: () => Promise<T>): Promise<T> {
    const tenantId = isUlid(receiptId) ? await this.receipts.ownerOf(receiptId) : undefined;
    if (tenantId === undefined) throw receiptsErrors.RECEIPT_NOT_FOUND();
    await this.residency.requireServed(tenantId);
    return inTenant(tenantId, work);
  }

  /**
   * The tenants that are served here and have receipts of a session.
   *
   * @throws RECEIPT_TARGET_REQUIRED without a session, and for one that too many tenants have.
   */
  async withSession(sessionId: string | undefined): Promise<string[]> {
    if (sessionId === undefined) throw receiptsErrors.RECEIPT_TARGET_REQUIRED();
    const tenants = await this.receipts.ownersOfSession(sessionId, MOST_TENANTS + 1);
    if (tenants.length > MOST_TENANTS) throw receiptsErrors.RECEIPT_TARGET_REQUIRED();
    const served: string[] = [];
    for (const tenantId of tenants) {
      if ((await this.residency.refusal(tenantId)) === undefined) served.push(tenantId);
    }
    return served;
  }
}
