import { Injectable } from '@nestjs/common';
import { commonErrors } from '../../../kernel/common-errors.js';
import { decodeCursor, Page } from '../../../kernel/cursor.js';
import { constraints, UnitOfWork } from '../../../platform/db/index.js';
import type { Grant, StoredGrant } from '../domain/grants.js';

export interface NewGrant extends Grant {
  readonly id: string;
  readonly grantedBy: string;
}

@Injectable()
export class DocumentPermissionsRepository {
  constructor(private readonly uow: UnitOfWork) {}

  /** Expired ones, too; sorted by whom they name. @throws NOT_FOUND without such a document; INVALID_CURSOR */
  async list(documentId: string, limit: number, cursor?: string): Promise<Page<StoredGrant>> {
    const [type, id, permission] = cursor === undefined ? [] : decodeCursor(cursor, ['text', 'text', 'text']);
    const rows = await this.uow.rows<StoredGrant>(
      `SELECT ${GRANT_COLUMNS} FROM document_permissions
        WHERE tenant_id = $1 AND document_id = $2
          AND ($3::text IS NULL OR (principal_type, principal_id, permission) > ($3::text, $4::text, $5::text))
        ORDER BY principal_type, principal_id, permission LIMIT $6`,
      [this.uow.tenantId, documentId, type ?? null, id ?? null, permission ?? null, limit + 1],
    );
    if (rows.length === 0) await this.#requireDocument(documentId);
    return Page.of(rows, limit, (row) => [row.principalType, row.principalId, row.permission]);
  }

  /**
   * Grants, or sets the expiry of what is granted already. No two of them may be the same permission for the same
   * principal.
   *
   * @returns ids of those that were created or changed. @throws NOT_FOUND without such a document.
   */
  async upsert(documentId: string, grants: readonly NewGrant[]): Promise<ReadonlySet<string>> {
    const rows = await constraints({ fk_document_permissions_document: noDocument }, () =>
      this.uow.rows<{ id: string }>(
        `INSERT INTO document_permissions AS p
           (tenant_id, document_id, id, principal_type, principal_id, permission, granted_by, expires_at)
         SELECT $1, $2, g.* FROM ${GIVEN}
         ON CONFLICT ON CONSTRAINT uq_document_permissions
           DO UPDATE SET expires_at = EXCLUDED.expires_at, granted_by = EXCLUDED.granted_by
           WHERE p.expires_at IS DISTINCT FROM EXCLUDED.expires_at
         RETURNING p.id`,
        [this.uow.tenantId, documentId, ...columnsOf(grants)],
      ),
    );
    return new Set(rows.map(({ id }) => id));
  }

  /** The stored rows of what is granted, in the order in which it was given. */
  async stored(documentId: string, grants: readonly NewGrant[]): Promise<StoredGrant[]> {
    return this.uow.rows<StoredGrant>(
      `SELECT ${GRANT_COLUMNS} FROM document_permissions p
         JOIN (SELECT principal_type, principal_id, permission, row_number() OVER () AS n FROM ${GIVEN}) given
           USING (principal_type, principal_id, permission)
        WHERE p.tenant_id = $1 AND p.document_id = $2 ORDER BY given.n`,
      [this.uow.tenantId, documentId, ...columnsOf(grants)],
    );
  }

  /** @returns what was deleted; undefined when the document has no such permission. @throws NOT_FOUND without such a document. */
  async delete(documentId: string, id: string): Promise<StoredGrant | undefined> {
    const row = await this.uow.first<StoredGrant>(
      `DELETE FROM document_permissions WHERE tenant_id = $1 AND document_id = $2 AND id = $3 RETURNING ${GRANT_COLUMNS}`,
      [this.uow.tenantId, documentId, id],
    );
    if (row === undefined) await this.#requireDocument(documentId);
    return row;
  }

  /** Deletes at most `limit` that expired before, of one tenant or with null of all. @returns the tenant of each. */
  async deleteExpired(before: Date, limit: number, tenantId: string | null): Promise<string[]> {
    const rows = await this.uow.rows<{ tenant_id: string }>(
      `DELETE FROM document_permissions WHERE (tenant_id, id) IN (
         SELECT tenant_id, id FROM document_permissions
          WHERE expires_at < $1 AND ($3::text IS NULL OR tenant_id = $3)
          ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED)
       RETURNING tenant_id`,
      [before, limit, tenantId],
    );
    return rows.map((row) => row.tenant_id);
  }

  async #requireDocument(id: string): Promise<void> {
    const sql = `SELECT 1 AS found FROM documents WHERE tenant_id = $1 AND id = $2`;
    if ((await this.uow.first(sql, [this.uow.tenantId, id])) === undefined) throw noDocument();
  }
}

export const GRANT_COLUMNS = `id, tenant_id AS "tenantId", document_id AS "documentId", principal_type AS "principalType",
  principal_id AS "principalId", permission, granted_by AS "grantedBy", expires_at AS "expiresAt",
  created_at AS "createdAt"`;

/** The grants of `columnsOf` as rows, from the third parameter on. */
const GIVEN = `unnest($3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::timestamptz[])
  AS g (id, principal_type, principal_id, permission, granted_by, expires_at)`;

function columnsOf(grants: readonly NewGrant[]): unknown[][] {
  return [
    grants.map(({ id }) => id),
    grants.map(({ principalType }) => principalType),
    grants.map(({ principalId }) => principalId),
    grants.map(({ permission }) => permission),
    grants.map(({ grantedBy }) => grantedBy),
    grants.map(({ expiresAt }) => expiresAt),
  ];
}

function noDocument(): Error {
  return commonErrors.NOT_FOUND({ message: 'No such document.' });
}
