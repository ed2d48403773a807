import { Injectable } from '@nestjs/common';
import { commonErrors } from '../../../kernel/common-errors.js';
import { decodeCursor, Page } from '../../../kernel/cursor.js';
import { UnitOfWork } from '../../../platform/db/index.js';
import type { ApiKeyRecord, StoredKey } from '../domain/api-key.js';

interface StoredKeyRow {
  readonly id: string;
  readonly tenant_id: string;
  readonly user_id: string;
  readonly key_hash: string;
  readonly role: string;
  readonly is_active: boolean;
  readonly status: StoredKey['status'];
  readonly expires_at: Date | null;
  readonly last_used_at: Date | null;
  readonly created_at: Date;
}

/** Which keys of the tenant, newest first. */
export interface KeyList {
  /** Neither disabled nor revoked; expired ones are listed. */
  readonly notRevoked?: boolean;
  /** Only keys that were not used after `since`, and those that have expired at `now`. */
  readonly stale?: { readonly since: Date; readonly now: Date };
  readonly limit: number;
  readonly cursor?: string;
}

@Injectable()
export class ApiKeysRepository {
  constructor(private readonly uow: UnitOfWork) {}

  /** Looks a key up before its tenant is known. */
  async findForAuthentication(id: string): Promise<{ key: StoredKey; hash: string } | undefined> {
    const row = await this.uow.acrossTenants('authentication', () =>
      this.uow.first<StoredKeyRow>(
        `SELECT k.id, k.tenant_id, k.user_id, k.key_hash, u.role, u.is_active, k.status, k.expires_at,
                k.last_used_at, k.created_at
           FROM api_keys k JOIN users u ON u.tenant_id = k.tenant_id AND u.id = k.user_id
          WHERE k.id = $1`,
        [id],
      ),
    );
    if (row === undefined) return undefined;
    return {
      hash: row.key_hash,
      key: {
        id: row.id,
        tenantId: row.tenant_id,
        userId: row.user_id,
        role: row.role,
        userActive: row.is_active,
        status: row.status,
        expiresAt: row.expires_at,
        lastUsedAt: row.last_used_at,
        createdAt: row.created_at,
      },
    };
  }

  /** The tenant of a key whose id is all that a command was given. */
  async tenantOf(id: string): Promise<string | undefined> {
    const row = await this.uow.acrossTenants('authentication', () =>
      this.uow.first<{ tenant_id: string }>(`SELECT tenant_id FROM api_keys WHERE id = $1`, [id]),
    );
    return row?.tenant_id;
  }

  async touch(id: string, now: Date): Promise<void> {
    await this.uow.execute(`UPDATE api_keys SET last_used_at = $3 WHERE tenant_id = $1 AND id = $2`, [
      this.uow.tenantId,
      id,
      now,
    ]);
  }

  async upsertUser(user: { id: string; role: string; email?: string }): Promise<void> {
    await this.uow.execute(
      `INSERT INTO users (tenant_id, id, role, email) VALUES ($1, $2, $3, $4)
       ON CONFLICT (tenant_id, id) DO UPDATE SET role = EXCLUDED.role, email = COALESCE(EXCLUDED.email, users.email)`,
      [this.uow.tenantId, user.id, user.role, user.email ?? null],
    );
  }

  async insert(key: {
    id: string;
    userId: string;
    prefix: string;
    hash: string;
    name: string | null;
    expiresAt: Date | null;
    rotatedFromId?: string;
    createdBy: string;
  }): Promise<void> {
    await this.uow.execute(
      `INSERT INTO api_keys (tenant_id, id, user_id, key_prefix, key_hash, name, expires_at, rotated_from_id, created_by)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
      [
        this.uow.tenantId,
        key.id,
        key.userId,
        key.prefix,
        key.hash,
        key.name,
        key.expiresAt,
        key.rotatedFromId ?? null,
        key.createdBy,
      ],
    );
  }

  async user(id: string): Promise<{ id: string; role: string } | undefined> {
    return this.uow.first(`SELECT id, role FROM users WHERE tenant_id = $1 AND id = $2`, [this.uow.tenantId, id]);
  }

  async userOfKey(keyId: string): Promise<{ id: string; role: string } | undefined> {
    return this.uow.first(
      `SELECT u.id, u.role FROM users u JOIN api_keys k ON k.tenant_id = u.tenant_id AND k.user_id = u.id
        WHERE k.tenant_id = $1 AND k.id = $2`,
      [this.uow.tenantId, keyId],
    );
  }

  async idsOfUser(userId: string): Promise<string[]> {
    const rows = await this.uow.rows<{ id: string }>(`SELECT id FROM api_keys WHERE tenant_id = $1 AND user_id = $2`, [
      this.uow.tenantId,
      userId,
    ]);
    return rows.map(({ id }) => id);
  }

  /** @throws INVALID_CURSOR */
  async list({ notRevoked = false, stale, limit, cursor }: KeyList): Promise<Page<ApiKeyRecord>> {
    const [time, id] = cursor === undefined ? [] : decodeCursor(cursor, ['timestamp', 'text']);
    const rows = await this.uow.rows<ApiKeyRecord & { position: string }>(
      `SELECT ${COLUMNS}, k.created_at::text AS position ${KEYS_WITH_USERS}
        WHERE k.tenant_id = $1 AND ($2::timestamptz IS NULL OR (k.created_at, k.id) < ($2::timestamptz, $3::text))
          AND (NOT $4::boolean OR k.status = 'active')
          AND ($5::timestamptz IS NULL OR COALESCE(k.last_used_at, k.created_at) <= $5 OR k.expires_at <= $6)
        ORDER BY k.created_at DESC, k.id DESC LIMIT $7`,
      [this.uow.tenantId, time ?? null, id ?? null, notRevoked, stale?.since ?? null, stale?.now ?? null, limit + 1],
    );
    return Page.of(rows, limit, (row) => [row.position, row.id]);
  }

  /** @throws NOT_FOUND */
  async get(id: string): Promise<ApiKeyRecord> {
    return this.#find(id, '');
  }

  /** The key as nobody else can change it until the transaction ends. @throws NOT_FOUND */
  async getForChange(id: string): Promise<ApiKeyRecord> {
    return this.#find(id, 'FOR NO KEY UPDATE OF k');
  }

  async #find(id: string, lock: string): Promise<ApiKeyRecord> {
    const key = await this.uow.first<ApiKeyRecord>(
      `SELECT ${COLUMNS} ${KEYS_WITH_USERS} WHERE k.tenant_id = $1 AND k.id = $2 ${lock}`,
      [this.uow.tenantId, id],
    );
    if (key === undefined) throw commonErrors.NOT_FOUND({ message: 'No such API key.' });
    return key;
  }

  /** Waits until no other transaction that called this for the tenant is open. */
  async awaitTurn(): Promise<void> {
    await this.uow.execute(`SELECT pg_advisory_xact_lock(hashtextextended('api_keys ' || $1, 0))`, [this.uow.tenantId]);
  }

  async countActive(now: Date): Promise<number> {
    const row = await this.uow.first<{ count: number }>(
      `SELECT count(*)::int AS count ${KEYS_WITH_USERS} WHERE ${ACTIVE}`,
      [this.uow.tenantId, now],
    );
    return row?.count ?? 0;
  }

  /** Whether an active admin key beside this one was used, or made, after `usedAfter`. */
  async hasOtherAdmin(id: string, now: Date, usedAfter: Date): Promise<boolean> {
    const row = await this.uow.first(
      `SELECT 1 ${KEYS_WITH_USERS}
        WHERE ${ACTIVE} AND u.role = 'admin' AND k.id <> $3 AND COALESCE(k.last_used_at, k.created_at) > $4 LIMIT 1`,
      [this.uow.tenantId, now, id, usedAfter],
    );
    return row !== undefined;
  }

  /** Writes what a change can change; the instants of disabling and revoking follow from the status. */
  async update(
    id: string,
    key: Pick<ApiKeyRecord, 'name' | 'status' | 'expiresAt' | 'lastUsedAt'>,
    now: Date,
  ): Promise<void> {
    await this.uow.execute(
      `UPDATE api_keys
          SET name = $3, status = $4, expires_at = $5, last_used_at = $6,
              disabled_at = CASE $4 WHEN 'active' THEN NULL WHEN 'disabled' THEN COALESCE(disabled_at, $7)
                                    ELSE disabled_at END,
              revoked_at = CASE $4 WHEN 'revoked' THEN COALESCE(revoked_at, $7) END,
              revoked_reason = CASE $4 WHEN 'revoked' THEN COALESCE(revoked_reason, 'revoked by an admin') END
        WHERE tenant_id = $1 AND id = $2`,
      [this.uow.tenantId, id, key.name, key.status, key.expiresAt, key.lastUsedAt, now],
    );
  }

  /** @returns false when the key was revoked before. */
  async revoke(id: string, now: Date, reason: string): Promise<boolean> {
    const changed = await this.uow.execute(
      `UPDATE api_keys SET status = 'revoked', revoked_at = $3, revoked_reason = $4
        WHERE tenant_id = $1 AND id = $2 AND status <> 'revoked'`,
      [this.uow.tenantId, id, now, reason],
    );
    return changed === 1;
  }
}

const COLUMNS = `k.id, k.user_id AS "userId", k.key_prefix AS prefix, k.name, u.role, k.status,
  u.is_active AS "userActive", k.expires_at AS "expiresAt", k.last_used_at AS "lastUsedAt",
  COALESCE(k.revoked_at, k.disabled_at) AS "revokedAt", k.created_at AS "createdAt"`;

const KEYS_WITH_USERS = `FROM api_keys k JOIN users u ON u.tenant_id = k.tenant_id AND u.id = k.user_id`;

/** Of the tenant $1, at the instant $2. The same as `isActive` of the domain. */
const ACTIVE = `k.tenant_id = $1 AND k.status = 'active' AND u.is_active AND (k.expires_at IS NULL OR k.expires_at > $2)`;
