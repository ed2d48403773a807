import { Inject, Injectable } from '@nestjs/common';
import { AuditTrail } from '../../../kernel/audit.js';
import { commonErrors } from '../../../kernel/common-errors.js';
import { currentContext } from '../../../kernel/context.js';
import type { Page } from '../../../kernel/cursor.js';
import { Clock } from '../../../kernel/time.js';
import { UnitOfWork } from '../../../platform/db/index.js';
import { ReceiptErasure } from '../../receipts/index.js';
import type { Session, StoredMessage } from '../domain/session.js';
import type { SessionKey } from '../persistence/conversations.repository.js';
import { SessionsRepository } from '../persistence/sessions.repository.js';
import { runErrors } from '../run.errors.js';
import { runSettings, type RunSettings } from '../run.settings.js';
import { RunLogs } from './run-logs.js';
import { principalOf } from './run.js';

/** The conversations of whoever asks. Those of others do not exist, not even for a colleague. */
@Injectable()
export class Sessions {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly sessions: SessionsRepository,
    private readonly receipts: ReceiptErasure,
    private readonly logs: RunLogs,
    private readonly audit: AuditTrail,
    private readonly clock: Clock,
    @Inject(runSettings.token) private readonly settings: RunSettings,
  ) {}

  async list(limit: number, cursor?: string): Promise<Page<Session>> {
    const { subjectId } = principalOf(currentContext());
    return this.uow.read(() => this.sessions.list(subjectId, this.clock.now(), limit, cursor));
  }

  /** @throws NOT_FOUND, INVALID_CURSOR */
  async messages(id: string, limit: number, cursor?: string): Promise<Page<StoredMessage>> {
    return this.uow.read(async () => {
      const page = await this.sessions.messages(ownKey(id), limit, cursor);
      if (page.items.length === 0) await this.#require(ownKey(id));
      return page;
    });
  }

  /** Deletes the conversation, its questions in receipts, and the frames that were kept of it. @throws NOT_FOUND, SESSION_BUSY */
  async delete(id: string): Promise<void> {
    const key = ownKey(id);
    const now = this.clock.now();
    const kept = this.settings.timeoutSeconds + this.settings.resumeTtlSeconds;
    const runs = await this.uow.run(async () => {
      const recent = await this.sessions.runsSince(key, new Date(now.getTime() - kept * 1000));
      const messages = await this.sessions.delete(key, now);
      if (messages === undefined) {
        await this.#require(key);
        throw runErrors.SESSION_BUSY();
      }
      await this.receipts.eraseSession(key.subjectId, key.sessionId);
      await this.audit.record({
        event: 'sessions.deleted',
        outcome: 'success',
        resourceType: 'session',
        resourceId: id,
        metadata: { messages },
      });
      return recent;
    });
    await this.logs.forget(runs);
  }

  async #require(key: SessionKey): Promise<void> {
    if (!(await this.sessions.exists(key))) throw commonErrors.NOT_FOUND({ message: 'No such session.' });
  }
}

function ownKey(sessionId: string): SessionKey {
  return { subjectId: principalOf(currentContext()).subjectId, sessionId };
}
