import { Injectable } from '@nestjs/common';
import { decodeCursor, Page } from '../../../kernel/cursor.js';
import { constraints, UnitOfWork } from '../../../platform/db/index.js';
import type { AttachableBinding } from '../domain/binding.js';
import { keyStateOf } from '../domain/key-state.js';
import type { KeyBinding, ProviderKey } from '../domain/provider-key.js';
import { providerKeysErrors } from '../provider-keys.errors.js';
import { COLUMNS as KEY_COLUMNS, known } from './provider-keys.repository.js';

export type NewBinding = Pick<KeyBinding, 'id' | 'keyId' | 'type' | 'targetId' | 'scope'>;

export type BoundKey = ProviderKey & { readonly bindingId: string; readonly bindingRevoked: boolean };

@Injectable()
export class BindingsRepository {
  constructor(private readonly uow: UnitOfWork) {}

  /** Newest first, revoked ones included. @throws INVALID_CURSOR */
  async list(keyId: string, limit: number, cursor?: string): Promise<Page<KeyBinding>> {
    const [time, id] = cursor === undefined ? [] : decodeCursor(cursor, ['timestamp', 'uuid']);
    const rows = await this.uow.rows<KeyBinding & { position: string }>(
      `SELECT ${COLUMNS}, created_at::text AS position FROM provider_key_bindings
        WHERE tenant_id = $1 AND provider_key_id = $2
          AND ($3::timestamptz IS NULL OR (created_at, id) < ($3::timestamptz, $4::uuid))
        ORDER BY created_at DESC, id DESC LIMIT $5`,
      [this.uow.tenantId, keyId, time ?? null, id ?? null, limit + 1],
    );
    return Page.of(rows, limit, (row) => [row.position, row.id]);
  }

  async find(keyId: string, id: string): Promise<KeyBinding | undefined> {
    return this.uow.first<KeyBinding>(
      `SELECT ${COLUMNS} FROM provider_key_bindings WHERE tenant_id = $1 AND provider_key_id = $2 AND id = $3`,
      [this.uow.tenantId, keyId, id],
    );
  }

  async counts(keyId: string): Promise<{ active: number; revoked: number }> {
    const counts = await this.uow.first<{ active: number; revoked: number }>(
      `SELECT count(*) FILTER (WHERE revoked_at IS NULL)::int AS active,
              count(*) FILTER (WHERE revoked_at IS NOT NULL)::int AS revoked
         FROM provider_key_bindings WHERE tenant_id = $1 AND provider_key_id = $2`,
      [this.uow.tenantId, keyId],
    );
    return counts ?? { active: 0, revoked: 0 };
  }

  /** @throws BINDING_ALREADY_EXISTS */
  async insert(binding: NewBinding): Promise<KeyBinding> {
    const { id, keyId, type, targetId, scope } = binding;
    const row = await constraints(
      { ix_provider_key_bindings_in_force: providerKeysErrors.BINDING_ALREADY_EXISTS },
      () =>
        this.uow.first<KeyBinding>(
          `INSERT INTO provider_key_bindings
             (tenant_id, id, provider_key_id, binding_type, binding_target_id, binding_scope)
           VALUES ($1, $2, $3, $4, $5, $6) RETURNING ${COLUMNS}`,
          [this.uow.tenantId, id, keyId, type, targetId, scope],
        ),
    );
    return row as KeyBinding;
  }

  /** @returns undefined when it is revoked already, or there is none. */
  async revoke(keyId: string, id: string, reason: string | null, at: Date): Promise<KeyBinding | undefined> {
    return this.uow.first<KeyBinding>(
      `UPDATE provider_key_bindings SET revoked_at = $4, revoked_reason = $5, version = version + 1
        WHERE tenant_id = $1 AND provider_key_id = $2 AND id = $3 AND revoked_at IS NULL RETURNING ${COLUMNS}`,
      [this.uow.tenantId, keyId, id, at, reason],
    );
  }

  /** Ids of those that are or were in force. */
  async idsOf(keyId: string): Promise<string[]> {
    const rows = await this.uow.rows<{ id: string }>(
      `SELECT id FROM provider_key_bindings WHERE tenant_id = $1 AND provider_key_id = $2`,
      [this.uow.tenantId, keyId],
    );
    return rows.map(({ id }) => id);
  }

  /** @returns how many were in force. */
  async revokeAll(keyId: string, reason: string, at: Date): Promise<number> {
    return this.uow.execute(
      `UPDATE provider_key_bindings SET revoked_at = $3, revoked_reason = $4, version = version + 1
        WHERE tenant_id = $1 AND provider_key_id = $2 AND revoked_at IS NULL`,
      [this.uow.tenantId, keyId, at, reason],
    );
  }

  /**
   * One that is in force, which stays so, and its key as it is, until the transaction ends. The key is locked first, as
   * whoever changes a binding does: the other way round they would wait for each other.
   */
  async lock(id: string): Promise<AttachableBinding | undefined> {
    await this.uow.rows(
      `SELECT id FROM provider_keys WHERE tenant_id = $1
          AND id = (SELECT provider_key_id FROM provider_key_bindings WHERE tenant_id = $1 AND id = $2) FOR SHARE`,
      [this.uow.tenantId, id],
    );
    const row = await this.uow.first<AttachableBinding>(
      `SELECT b.id, b.binding_type AS "bindingType", b.binding_target_id AS "targetId", b.binding_scope AS scope,
              k.id AS "keyId", k.state AS "keyState", k.rotation_due_at AS "rotationDueAt"
         FROM provider_key_bindings b JOIN provider_keys k ON k.tenant_id = b.tenant_id AND k.id = b.provider_key_id
        WHERE b.tenant_id = $1 AND b.id = $2 AND b.revoked_at IS NULL FOR SHARE OF b`,
      [this.uow.tenantId, id],
    );
    return row === undefined ? undefined : { ...row, keyState: keyStateOf(row.keyState) };
  }

  /** The keys of bindings, revoked ones included. */
  async keysOf(bindingIds: readonly string[]): Promise<BoundKey[]> {
    const rows = await this.uow.rows<BoundKey>(
      `SELECT ${KEY_COLUMNS}, b.id AS "bindingId", b.revoked_at IS NOT NULL AS "bindingRevoked"
         FROM provider_key_bindings b JOIN provider_keys k ON k.tenant_id = b.tenant_id AND k.id = b.provider_key_id
        WHERE b.tenant_id = $1 AND b.id = ANY ($2::uuid[])`,
      [this.uow.tenantId, bindingIds],
    );
    return rows.map(known);
  }
}

const COLUMNS = `id, provider_key_id AS "keyId", binding_type AS type, binding_target_id AS "targetId",
  binding_scope AS scope, created_at AS "createdAt", revoked_at AS "revokedAt", revoked_reason AS "revokedReason",
  version::int AS version`;
