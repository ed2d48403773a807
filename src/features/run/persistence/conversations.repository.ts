import { Injectable } from '@nestjs/common';
import { UnitOfWork } from '../../../platform/db/index.js';
import type { ChatMessage } from '../domain/history.js';
import type { Usage } from '../domain/sse.js';

/** A session belongs to the subject who opened it; the same id of somebody else is another session. */
export interface SessionKey {
  readonly subjectId: string;
  readonly sessionId: string;
}

export interface NewMessage {
  readonly id: string;
  readonly runId: string;
  readonly role: 'user' | 'assistant';
  readonly content: string;
  readonly status: 'complete' | 'cancelled';
  readonly usage: Usage | null;
}

/** Most messages that history is cut from; more would never fit a model's window. */
const HISTORY_ROWS = 100;

@Injectable()
export class ConversationsRepository {
  constructor(private readonly uow: UnitOfWork) {}

  /**
   * Opens the session or finds it, and takes it for one run. A claim that its process left behind ends by itself.
   *
   * @returns false while another run holds the session.
   */
  async claim(key: SessionKey, runId: string, now: Date, until: Date): Promise<boolean> {
    const changed = await this.uow.execute(
      `INSERT INTO sessions (tenant_id, subject_id, id, active_run_id, active_until, created_at, last_seen_at)
       VALUES ($1, $2, $3, $4, $6, $5, $5)
       ON CONFLICT ON CONSTRAINT pk_sessions DO UPDATE
         SET active_run_id = $4, active_until = $6, last_seen_at = $5
       WHERE sessions.active_run_id IS NULL OR sessions.active_until < $5`,
      [this.uow.tenantId, key.subjectId, key.sessionId, runId, now, until],
    );
    return changed === 1;
  }

  /** Ends the run's claim, if it still holds it. */
  async release(key: SessionKey, runId: string): Promise<void> {
    await this.uow.execute(
      `UPDATE sessions SET active_run_id = NULL, active_until = NULL
        WHERE tenant_id = $1 AND subject_id = $2 AND id = $3 AND active_run_id = $4`,
      [this.uow.tenantId, key.subjectId, key.sessionId, runId],
    );
  }

  /** Appends to the session; messages are numbered without gaps in the order of their commits. */
  async append(key: SessionKey, message: NewMessage): Promise<void> {
    await this.uow.execute(
      `WITH position AS (
         UPDATE sessions SET next_seq = next_seq + 1
          WHERE tenant_id = $1 AND subject_id = $2 AND id = $3 RETURNING next_seq - 1 AS seq)
       INSERT INTO messages (tenant_id, subject_id, session_id, seq, id, run_id, role, content, status, usage)
       SELECT $1, $2, $3, seq, $4, $5, $6, $7, $8, $9 FROM position`,
      [
        this.uow.tenantId,
        key.subjectId,
        key.sessionId,
        message.id,
        message.runId,
        message.role,
        message.content,
        message.status,
        message.usage,
      ],
    );
  }

  /** The latest messages of other runs, oldest first. */
  async history(key: SessionKey, exceptRunId: string): Promise<ChatMessage[]> {
    const rows = await this.uow.rows<ChatMessage>(
      `SELECT role, content FROM messages
        WHERE tenant_id = $1 AND subject_id = $2 AND session_id = $3 AND run_id <> $4
        ORDER BY seq DESC LIMIT ${HISTORY_ROWS}`,
      [this.uow.tenantId, key.subjectId, key.sessionId, exceptRunId],
    );
    return rows.reverse();
  }

  /** What the answer was made from, as references; contents stay where they are. */
  async checkpoint(key: SessionKey, id: string, runId: string, state: Record<string, unknown>): Promise<void> {
    await this.uow.execute(
      `INSERT INTO checkpoints (tenant_id, subject_id, session_id, id, run_id, state_json)
       VALUES ($1, $2, $3, $4, $5, $6)`,
      [this.uow.tenantId, key.subjectId, key.sessionId, id, runId, state],
    );
  }
}
