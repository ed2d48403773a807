import { Injectable } from '@nestjs/common';
import { inTenant } from '../../../kernel/context.js';
import { ResidencyGate } from '../../residency/index.js';
import { isUlid } from '../domain/ulid.js';
import { ReceiptsRepository } from '../persistence/receipts.repository.js';
import { receiptsErrors } from '../receipts.errors.js';

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
}
