import { Injectable } from '@nestjs/common';
import { ReceiptsRepository } from '../persistence/receipts.repository.js';

/** For whoever has to forget a person: what they asked goes, the proof of what was answered from which texts stays. */
@Injectable()
export class ReceiptErasure {
  constructor(private readonly receipts: ReceiptsRepository) {}

  /** Erases the questions of one session, in the unit of work that is open. @returns how many. */
  eraseSession(ownerId: string, sessionId: string): Promise<number> {
    return this.receipts.eraseQueries(ownerId, sessionId);
  }
}
