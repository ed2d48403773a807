import { Injectable } from '@nestjs/common';
import { UnitOfWork } from '../../../platform/db/index.js';
import { RetentionHolds } from '../../audit/index.js';
import { ReceiptsRepository } from '../persistence/receipts.repository.js';

/** For whoever has to forget a person: what they asked goes, the proof of what was answered from which texts stays. */
@Injectable()
export class ReceiptErasure {
  constructor(
    private readonly receipts: ReceiptsRepository,
    private readonly holds: RetentionHolds,
    private readonly uow: UnitOfWork,
  ) {}

  /** Erases the questions of one session, in the unit of work that is open; none while a hold keeps it. @returns how many. */
  async eraseSession(ownerId: string, sessionId: string): Promise<number> {
    const held = await this.holds.heldSessions(this.uow.tenantId, [sessionId]);
    return held.has(sessionId) ? 0 : this.receipts.eraseQueries(ownerId, sessionId);
  }
}
