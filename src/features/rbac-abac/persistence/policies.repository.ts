import { Injectable } from '@nestjs/common';
import { commonErrors } from '../../../kernel/common-errors.js';
import { decodeCursor, Page } from '../../../kernel/cursor.js';
import { UnitOfWork } from '../../../platform/db/index.js';
import type { PolicyDraft, PolicyVersion, StoredPolicy } from '../domain/stored-policy.js';
import type { Policy } from '../domain/policy-set.js';

/** Of one tenant, and of templates. All of them are asked for every decision. */
const MAX_POLICIES = 2000;

/** A policy in force, and the size of its condition in bytes. */
export type PolicyInForce = Policy & { readonly bytes: number };

/**
 * Policies of one owner: a tenant, or null for templates, which are changed across tenants. Deleted ones do not exist,
 * but for their versions.
 */
@Injectable()
export class PoliciesRepository {
  constructor(private readonly uow: UnitOfWork) {}

  /** Those that decide in a tenant: its own and the templates that are enabled. In no order. */
  async inForce(tenantId: string): Promise<PolicyInForce[]> {
    return this.uow.rows<PolicyInForce>(
      `SELECT id, effect, resource_type AS "resourceType", action, condition_json AS condition, priority,
              octet_length(condition_json::text) AS bytes
         FROM authorization_policies
        WHERE (tenant_id = $1 OR tenant_id IS NULL) AND enabled AND deleted_at IS NULL`,
      [tenantId],
    );
  }

  /** By priority, then id. @throws INVALID_CURSOR */
  async list(
    owner: string | null,
    { templates, limit, cursor }: { templates: boolean; limit: number; cursor: string | undefined },
  ): Promise<Page<StoredPolicy>> {
    const [priority, id] = cursor === undefined ? [] : decodeCursor(cursor, ['integer', 'text']);
    const rows = await this.uow.rows<StoredPolicy>(
      `SELECT ${COLUMNS} FROM authorization_policies
        WHERE (${OWNED} OR ($2 AND tenant_id IS NULL)) AND deleted_at IS NULL
          AND ($3::bigint IS NULL OR priority < $3::bigint OR (priority = $3::bigint AND id > $4::text))
        ORDER BY priority DESC, id LIMIT $5`,
      [owner, templates, priority ?? null, id ?? null, limit + 1],
    );
    return Page.of(rows, limit, (row) => [String(row.priority), row.id]);
  }

  /** @throws NOT_FOUND */
  async get(owner: string | null, id: string): Promise<StoredPolicy> {
    return this.#get(owner, id, '');
  }

  /** As nobody else can change it until the transaction ends. @throws NOT_FOUND */
  async getForChange(owner: string | null, id: string): Promise<StoredPolicy> {
    return this.#get(owner, id, 'FOR UPDATE');
  }

  /** @throws CONFLICT when the owner has as many as allowed; two at the same moment may both be the last one. */
  async insert(
    owner: string | null,
    id: string,
    { name, effect, resourceType, action, condition, priority, enabled }: PolicyDraft,
    by: string | null,
  ): Promise<StoredPolicy> {
    const policy = await this.uow.first<StoredPolicy>(
      `WITH written AS (
         INSERT INTO authorization_policies
           (tenant_id, id, name, effect, resource_type, action, condition_json, priority, enabled, created_by)
         SELECT $1, $2, $3, $4, $5, $6, $7::jsonb, $8, $9, $10
          WHERE (SELECT count(*) FROM authorization_policies WHERE ${OWNED} AND deleted_at IS NULL) < ${MAX_POLICIES}
         RETURNING *), ${keepVersion('$10')}
       SELECT ${COLUMNS} FROM written`,
      [owner, id, name, effect, resourceType, action, JSON.stringify(condition), priority, enabled, by],
    );
    if (policy !== undefined) return policy;
    throw commonErrors.CONFLICT({ message: `There are ${MAX_POLICIES} policies already. Delete or join some first.` });
  }

  async update(
    { id, tenantId, name, effect, resourceType, action, condition, priority, enabled }: PolicyDraft & StoredPolicy,
    by: string | null,
  ): Promise<StoredPolicy> {
    const policy = await this.uow.first<StoredPolicy>(
      `WITH written AS (
         UPDATE authorization_policies
            SET name = $3, effect = $4, resource_type = $5, action = $6, condition_json = $7::jsonb, priority = $8,
                enabled = $9, version = version + 1, updated_at = now()
          WHERE ${OWNED} AND id = $2 RETURNING *), ${keepVersion('$10')}
       SELECT ${COLUMNS} FROM written`,
      [tenantId, id, name, effect, resourceType, action, JSON.stringify(condition), priority, enabled, by],
    );
    return policy as StoredPolicy;
  }

  async setEnabled({ tenantId, id }: StoredPolicy, enabled: boolean): Promise<void> {
    await this.uow.execute(
      `UPDATE authorization_policies SET enabled = $3, updated_at = now() WHERE ${OWNED} AND id = $2`,
      [tenantId, id, enabled],
    );
  }

  async delete({ tenantId, id }: StoredPolicy): Promise<void> {
    await this.uow.execute(`UPDATE authorization_policies SET deleted_at = now() WHERE ${OWNED} AND id = $2`, [
      tenantId,
      id,
    ]);
  }

  /** Newest first; also of a policy that was deleted. @throws INVALID_CURSOR */
  async versions(
    owner: string | null,
    id: string,
    { limit, cursor }: { limit: number; cursor: string | undefined },
  ): Promise<Page<PolicyVersion>> {
    const [version] = cursor === undefined ? [] : decodeCursor(cursor, ['integer']);
    const rows = await this.uow.rows<PolicyVersion>(
      `SELECT version, snapshot, changed_by AS "changedBy", changed_at AS "changedAt" FROM authorization_policy_versions
        WHERE ${OWNED} AND policy_id = $2 AND ($3::bigint IS NULL OR version < $3::bigint)
        ORDER BY version DESC LIMIT $4`,
      [owner, id, version ?? null, limit + 1],
    );
    return Page.of(rows, limit, (row) => [String(row.version)]);
  }

  async #get(owner: string | null, id: string, lock: string): Promise<StoredPolicy> {
    const policy = await this.uow.first<StoredPolicy>(
      `SELECT ${COLUMNS} FROM authorization_policies WHERE ${OWNED} AND id = $2 AND deleted_at IS NULL ${lock}`,
      [owner, id],
    );
    if (policy === undefined) throw commonErrors.NOT_FOUND({ message: 'No such policy.' });
    return policy;
  }
}

/** $1 is the owner. */
const OWNED = `(tenant_id = $1::text OR ($1::text IS NULL AND tenant_id IS NULL))`;

const COLUMNS = `id, tenant_id AS "tenantId", name, version, effect, resource_type AS "resourceType", action,
  condition_json AS condition, priority, enabled, created_by AS "createdBy", created_at AS "createdAt",
  updated_at AS "updatedAt"`;

/** A part of a statement that keeps what another part has `written`. */
function keepVersion(by: string): string {
  return `kept AS (
    INSERT INTO authorization_policy_versions (tenant_id, policy_id, version, snapshot, changed_by)
    SELECT tenant_id, id, version,
           jsonb_build_object('name', name, 'effect', effect, 'resource_type', resource_type, 'action', action,
                              'condition_json', condition_json, 'priority', priority, 'enabled', enabled), ${by}
      FROM written)`;
}
