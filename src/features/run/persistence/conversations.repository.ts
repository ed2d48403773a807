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

export interface AskedQuestion {
  readonly id: string;
  readonly content: string;
}

export interface Checkpoint {
  readonly id: string;
  readonly state: Readonly<Record<string, unknown>>;
}

/** Parameters as `#values` gives them; to be followed by where `seq` comes from. */
const MESSAGE = 'tenant_id, subject_id, session_id, seq, id, run_id, role, content, status, usage';
const VALUES = '$1, $2, $3, seq, $4, $5, $6, $7, $8, $9';
const INSERT_MESSAGE = `INSERT INTO messages (${MESSAGE}) SELECT ${VALUES}`;

/** Most messages that history is cut from; more would never fit a model's window. */
const HISTORY_ROWS = 100;

@Injectable()
export class ConversationsRepository {
  constructor(private readonly uow: UnitOfWork) {}

  /**
   * Opens the session or finds it, takes it for the message's run and appends the message. A claim that its process
   * left behind ends by itself.
   *
   * @param idempotencyKey by which `asked` finds the message.
   * @returns false, having changed nothing, while another run holds the session.
   */
  async begin(key: SessionKey, message: NewMessage, now: Date, until: Date, idempotencyKey?: string): Promise<boolean> {
    const begun = await this.uow.execute(
      `WITH session AS (
         INSERT INTO sessions (tenant_id, subject_id, id, active_run_id, active_until, created_at, last_seen_at, next_seq)
         VALUES ($1, $2, $3, $5, $11, $10, $10, 2)
         ON CONFLICT ON CONSTRAINT pk_sessions DO UPDATE
           SET active_run_id = $5, active_until = $11, last_seen_at = $10, next_seq = sessions.next_seq + 1
         WHERE sessions.active_run_id IS NULL OR sessions.active_until < $10
         RETURNING next_seq - 1 AS seq)
       INSERT INTO messages (${MESSAGE}, idem_key) SELECT ${VALUES}, $12 FROM session`,
      [...this.#values(key, message), now, until, idempotencyKey ?? null],
    );
    return begun === 1;
  }

  /** The question of the session that came with the key. */
  async asked({ subjectId, sessionId }: SessionKey, idempotencyKey: string): Promise<AskedQuestion | undefined> {
    return this.uow.first<AskedQuestion>(
      `SELECT id, content FROM messages
        WHERE tenant_id = $1 AND subject_id = $2 AND session_id = $3 AND idem_key = $4`,
      [this.uow.tenantId, subjectId, sessionId, idempotencyKey],
    );
  }

  /** Takes the session for a run that answers a stored question again. @returns as `begin` */
  async beginAgain(key: SessionKey, messageId: string, runId: string, now: Date, until: Date): Promise<boolean> {
    const begun = await this.uow.execute(
      `WITH session AS (
         UPDATE sessions SET active_run_id = $5, active_until = $7, last_seen_at = $6
          WHERE tenant_id = $1 AND subject_id = $2 AND id = $3 AND (active_run_id IS NULL OR active_until < $6)
         RETURNING id)
       UPDATE messages SET run_id = $5 FROM session WHERE messages.tenant_id = $1 AND messages.id = $4`,
      [this.uow.tenantId, key.subjectId, key.sessionId, messageId, runId, now, until],
    );
    return begun === 1;
  }

  /** Appends the answer, writes down what it was made from (references; contents stay where they are), ends the claim. */
  async complete(key: SessionKey, message: NewMessage, checkpoint: Checkpoint): Promise<void> {
    await this.uow.execute(
      `WITH session AS (
         UPDATE sessions
            SET next_seq = next_seq + 1,
                active_run_id = NULLIF(active_run_id, $5),
                active_until = CASE WHEN active_run_id = $5 THEN NULL ELSE active_until END
          WHERE tenant_id = $1 AND subject_id = $2 AND id = $3 RETURNING next_seq - 1 AS seq),
       message AS (${INSERT_MESSAGE} FROM session)
       INSERT INTO checkpoints (tenant_id, subject_id, session_id, id, run_id, state_json)
       SELECT $1, $2, $3, $10, $5, $11 FROM session`,
      [...this.#values(key, message), checkpoint.id, checkpoint.state],
    );
  }

  /** Ends the run's claim. @returns whether the run still held it. */
  async release(key: SessionKey, runId: string): Promise<boolean> {
    const released = await this.uow.execute(
      `UPDATE sessions SET active_run_id = NULL, active_until = NULL
        WHERE tenant_id = $1 AND subject_id = $2 AND id = $3 AND active_run_id = $4`,
      [this.uow.tenantId, key.subjectId, key.sessionId, runId],
    );
    return released === 1;
  }

  /** Appends to the session; messages are numbered without gaps in the order of their commits. */
  async append(key: SessionKey, message: NewMessage): Promise<void> {
    await this.uow.execute(
      `WITH session AS (
         UPDATE sessions SET next_seq = next_seq + 1
          WHERE tenant_id = $1 AND subject_id = $2 AND id = $3 RETURNING next_seq - 1 AS seq)
       ${INSERT_MESSAGE} FROM session`,
      this.#values(key, message),
    );
  }

  /** The latest messages before the question of the run, oldest first. */
  async history(key: SessionKey, runId: string): Promise<ChatMessage[]> {
    const rows = await this.uow.rows<ChatMessage>(
      `SELECT role, content FROM messages
        WHERE tenant_id = $1 AND subject_id = $2 AND session_id = $3
          AND seq < (SELECT seq FROM messages
                      WHERE tenant_id = $1 AND subject_id = $2 AND session_id = $3 AND run_id = $4 AND role = 'user')
        ORDER BY seq DESC LIMIT ${HISTORY_ROWS}`,
      [this.uow.tenantId, key.subjectId, key.sessionId, runId],
    );
    return rows.reverse();
  }

  #values({ subjectId, sessionId }: SessionKey, message: NewMessage): unknown[] {
    const { id, runId, role, content, status, usage } = message;
    return [this.uow.tenantId, subjectId, sessionId, id, runId, role, content, status, usage];
  }
}
