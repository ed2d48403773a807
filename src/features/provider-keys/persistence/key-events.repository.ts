import { Injectable } from '@nestjs/common';
import { decodeCursor, Page } from '../../../kernel/cursor.js';
import { SqlParameters, UnitOfWork } from '../../../platform/db/index.js';
import { keyStateOf } from '../domain/key-state.js';
import type { KeyEvent, LedgerType } from '../domain/ledger.js';

export interface NewKeyEvent {
  readonly type: LedgerType;
  readonly providerId: string;
  readonly keyId: string;
  readonly payload: Readonly<Record<string, unknown>>;
}

export interface KeyEventFilter {
  readonly keyId?: string | undefined;
  readonly state?: string | undefined;
  readonly start?: string | undefined;
  readonly end?: string | undefined;
}

/** The ledger. Whoever adds to it has locked the provider, so that nobody who reads on after an id misses one. */
@Injectable()
export class KeyEventsRepository {
  constructor(private readonly uow: UnitOfWork) {}

  async insert(events: readonly NewKeyEvent[], at: Date): Promise<void> {
    await this.uow.execute(
      `INSERT INTO provider_key_audit_events (tenant_id, provider_id, provider_key_id, event_type, payload, occurred_at)
       SELECT $1, (e.event ->> 'providerId')::uuid, (e.event ->> 'keyId')::uuid, e.event ->> 'type', e.event -> 'payload', $3
         FROM jsonb_array_elements($2::jsonb) WITH ORDINALITY AS e (event, n) ORDER BY e.n`,
      [this.uow.tenantId, JSON.stringify(events), at],
    );
  }

  /** @returns false when there is one of this type in the bucket. */
  async insertOnce({ type, providerId, keyId, payload }: NewKeyEvent, bucket: string, at: Date): Promise<boolean> {
    const inserted = await this.uow.execute(
      `INSERT INTO provider_key_audit_events
         (tenant_id, provider_id, provider_key_id, event_type, payload, occurred_at, bucket)
       VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING`,
      [this.uow.tenantId, providerId, keyId, type, payload, at, bucket],
    );
    return inserted === 1;
  }

  async hasBucket(keyId: string, type: LedgerType, bucket: string): Promise<boolean> {
    const found = await this.uow.first(
      `SELECT 1 FROM provider_key_audit_events
        WHERE tenant_id = $1 AND provider_key_id = $2 AND event_type = $3 AND bucket = $4`,
      [this.uow.tenantId, keyId, type, bucket],
    );
    return found !== undefined;
  }

  /** Newest first. @throws INVALID_CURSOR */
  async list(providerId: string, filter: KeyEventFilter, limit: number, cursor?: string): Promise<Page<KeyEvent>> {
    const [before] = cursor === undefined ? [] : decodeCursor(cursor, ['integer']);
    const parameters = new SqlParameters();
    const where = [
      `e.tenant_id = ${parameters.add(this.uow.tenantId)}`,
      `e.provider_id = ${parameters.add(providerId)}`,
    ];
    if (before !== undefined) where.push(`e.id < ${parameters.add(before)}::bigint`);
    if (filter.keyId !== undefined) where.push(`e.provider_key_id = ${parameters.add(filter.keyId)}`);
    if (filter.start !== undefined) where.push(`e.occurred_at >= ${parameters.add(filter.start)}::timestamptz`);
    if (filter.end !== undefined) where.push(`e.occurred_at <= ${parameters.add(filter.end)}::timestamptz`);
    if (filter.state !== undefined) {
      where.push(`${parameters.add(filter.state)} IN (k.state, e.payload ->> 'final_state', e.payload ->> 'state')`);
    }
    const rows = await this.uow.rows<Row>(
      `${SELECT} WHERE ${where.join(' AND ')} ORDER BY e.id DESC LIMIT ${parameters.add(limit + 1)}`,
      parameters.values,
    );
    return Page.of(rows, limit, (row) => [row.id]).map(read);
  }

  /** Those after an id, oldest first. */
  async after(providerId: string, id: number, limit: number): Promise<KeyEvent[]> {
    const rows = await this.uow.rows<Row>(
      `${SELECT} WHERE e.tenant_id = $1 AND e.provider_id = $2 AND e.id > $3::bigint ORDER BY e.id LIMIT $4`,
      [this.uow.tenantId, providerId, id, limit],
    );
    return rows.map(read);
  }
}

/** The driver gives bigints as text. */
type Row = Omit<KeyEvent, 'id'> & { readonly id: string };

const SELECT = `SELECT e.id, e.provider_id AS "providerId", e.provider_key_id AS "keyId", e.event_type AS type, e.payload,
    e.occurred_at AS "occurredAt", k.state AS "keyState"
  FROM provider_key_audit_events e
  LEFT JOIN provider_keys k ON k.tenant_id = e.tenant_id AND k.id = e.provider_key_id`;

function read(row: Row): KeyEvent {
  return { ...row, id: Number(row.id), keyState: row.keyState === null ? null : keyStateOf(row.keyState) };
}
