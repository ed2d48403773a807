import { Injectable } from '@nestjs/common';
import { commonErrors } from '../../../kernel/common-errors.js';
import { decodeCursor, Page } from '../../../kernel/cursor.js';
import { UnitOfWork } from '../../../platform/db/index.js';
import type { Session, StoredMessage } from '../domain/session.js';
import type { SessionKey } from './conversations.repository.js';

@Injectable()
export class SessionsRepository {
  constructor(private readonly uow: UnitOfWork) {}

  /** The sessions of one subject, newest first. @throws INVALID_CURSOR */
  async list(subjectId: string, now: Date, limit: number, cursor?: string): Promise<Page<Session>> {
    const [time, id] = cursor === undefined ? [] : decodeCursor(cursor, ['timestamp', 'text']);
    const rows = await this.uow.rows<Session & { position: string }>(
      `SELECT id, created_at AS "createdAt", last_seen_at AS "lastSeenAt", (next_seq - 1)::int AS "messageCount",
              CASE WHEN active_until >= $3 THEN active_run_id END AS "activeRunId", created_at::text AS position
         FROM sessions
        WHERE tenant_id = $1 AND subject_id = $2
          AND ($4::timestamptz IS NULL OR (created_at, id) < ($4::timestamptz, $5::text))
        ORDER BY created_at DESC, id DESC LIMIT $6`,
      [this.uow.tenantId, subjectId, now, time ?? null, id ?? null, limit + 1],
    );
    return Page.of(rows, limit, (row) => [row.position, row.id]);
  }

  async exists({ subjectId, sessionId }: SessionKey): Promise<boolean> {
    const row = await this.uow.first(`SELECT 1 FROM sessions WHERE tenant_id = $1 AND subject_id = $2 AND id = $3`, [
      this.uow.tenantId,
      subjectId,
      sessionId,
    ]);
    return row !== undefined;
  }

  /** Messages of a session in their order. @throws INVALID_CURSOR */
  async messages({ subjectId, sessionId }: SessionKey, limit: number, cursor?: string): Promise<Page<StoredMessage>> {
    const rows = await this.uow.rows<StoredMessage>(
      `SELECT id, seq::int, role, content, status, run_id AS "runId", created_at AS "createdAt", usage FROM messages
        WHERE tenant_id = $1 AND subject_id = $2 AND session_id = $3 AND seq > $4 ORDER BY seq LIMIT $5`,
      [this.uow.tenantId, subjectId, sessionId, cursor === undefined ? 0 : seqOf(cursor), limit + 1],
    );
    return Page.of(rows, limit, ({ seq }) => [String(seq)]);
  }

  /** Runs whose messages were stored after `since`. */
  async runsSince({ subjectId, sessionId }: SessionKey, since: Date): Promise<string[]> {
    const rows = await this.uow.rows<{ runId: string }>(
      `SELECT DISTINCT run_id AS "runId" FROM messages
        WHERE tenant_id = $1 AND subject_id = $2 AND session_id = $3 AND created_at > $4`,
      [this.uow.tenantId, subjectId, sessionId, since],
    );
    return rows.map(({ runId }) => runId);
  }

  /**
   * Deletes a session that no run holds, with its messages and checkpoints.
   *
   * @returns how many messages it had; undefined when there is no such session, or a run holds it.
   */
  async delete({ subjectId, sessionId }: SessionKey, now: Date): Promise<number | undefined> {
    const row = await this.uow.first<{ messages: number }>(
      `DELETE FROM sessions WHERE tenant_id = $1 AND subject_id = $2 AND id = $3
          AND (active_run_id IS NULL OR active_until < $4) RETURNING (next_seq - 1)::int AS messages`,
      [this.uow.tenantId, subjectId, sessionId, now],
    );
    return row?.messages;
  }
}

function seqOf(cursor: string): string {
  const [seq = ''] = decodeCursor(cursor, ['text']);
  if (!/^\d{1,9}$/.test(seq)) throw commonErrors.INVALID_CURSOR();
  return seq;
}
