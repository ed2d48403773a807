import { Injectable } from '@nestjs/common';
import { UnitOfWork } from '../../../platform/db/index.js';
import type { StoredKey } from '../domain/api-key.js';

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

/** A key as its owner may see it. */
export interface ApiKeyRecord {
  readonly id: string;
  readonly userId: string;
  readonly prefix: string;
  readonly name: string | null;
  readonly role: string;
  readonly status: StoredKey['status'];
  readonly userActive: boolean;
  readonly expiresAt: Date | null;
  readonly lastUsedAt: Date | null;
  readonly revokedAt: Date | null;
  readonly createdAt: Date;
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

  /** Newest first. A tenant has few keys; the list is cut at 1,000. */
  async list(): Promise<ApiKeyRecord[]> {
    return this.uow.rows<ApiKeyRecord>(`${RECORD} WHERE k.tenant_id = $1 ORDER BY k.created_at DESC, k.id LIMIT 1000`, [
      this.uow.tenantId,
    ]);
  }

  async find(id: string): Promise<ApiKeyRecord | undefined> {
    return this.uow.first<ApiKeyRecord>(`${RECORD} WHERE k.tenant_id = $1 AND k.id = $2`, [this.uow.tenantId, id]);
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

const RECORD = `
  SELECT k.id, k.user_id AS "userId", k.key_prefix AS prefix, k.name, u.role, k.status, u.is_active AS "userActive",
         k.expires_at AS "expiresAt", k.last_used_at AS "lastUsedAt",
         COALESCE(k.revoked_at, k.disabled_at) AS "revokedAt", k.created_at AS "createdAt"
    FROM api_keys k JOIN users u ON u.tenant_id = k.tenant_id AND u.id = k.user_id`;
