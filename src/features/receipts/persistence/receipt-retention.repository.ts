import { Injectable } from '@nestjs/common';
import { UnitOfWork } from '../../../platform/db/index.js';

export interface AgedReceipt {
  readonly receiptId: string;
  readonly sessionId: string;
}

@Injectable()
export class ReceiptRetentionRepository {
  constructor(private readonly uow: UnitOfWork) {}

  /** Active receipts from before the cutoff, by their ids. */
  async aged(cutoff: Date, after: string, limit: number): Promise<AgedReceipt[]> {
    return this.uow.rows<AgedReceipt>(
      `SELECT receipt_id AS "receiptId", subject_id AS "sessionId" FROM receipts
        WHERE tenant_id = $1 AND status = 'active' AND created_at < $2 AND receipt_id > $3
        ORDER BY receipt_id LIMIT $4`,
      [this.uow.tenantId, cutoff, after, limit],
    );
  }

  /** Puts receipts away, and erases their questions. @returns how many. */
  async tombstone(receiptIds: readonly string[], now: Date): Promise<number> {
    return this.uow.execute(
      `WITH erased AS (DELETE FROM receipt_queries WHERE tenant_id = $1 AND receipt_id = ANY ($2))
       UPDATE receipts SET status = 'tombstoned', tombstoned_at = $3
        WHERE tenant_id = $1 AND receipt_id = ANY ($2) AND status = 'active'`,
      [this.uow.tenantId, receiptIds, now],
    );
  }
}
