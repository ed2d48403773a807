import { Injectable } from '@nestjs/common';
import { decodeCursor, Page } from '../../../kernel/cursor.js';
import { UnitOfWork } from '../../../platform/db/index.js';
import type { VectorDb, VectorDbCounts } from '../domain/vector-db.js';

/** How long a vector database that was found stays as it is: as long as nobody changes it, or until the unit ends. */
type Lock = '' | 'FOR SHARE' | 'FOR UPDATE';

/** Those that were deleted do not exist here. */
@Injectable()
export class VectorDbsRepository {
  constructor(private readonly uow: UnitOfWork) {}

  /** Oldest first. @param ownerId undefined for those of every owner. @throws INVALID_CURSOR */
  async list(ownerId: string | undefined, limit: number, cursor?: string): Promise<Page<VectorDb>> {
    const [after] = cursor === undefined ? [] : decodeCursor(cursor, ['integer']);
    const rows = await this.uow.rows<VectorDb>(
      `SELECT ${COLUMNS} FROM vector_dbs
        WHERE tenant_id = $1 AND deleted_at IS NULL AND ($2::text IS NULL OR owner_id = $2)
          AND ($3::bigint IS NULL OR id > $3::bigint)
        ORDER BY id LIMIT $4`,
      [this.uow.tenantId, ownerId ?? null, after ?? null, limit + 1],
    );
    return Page.of(rows, limit, ({ id }) => [String(id)]);
  }

  async find(id: number, lock: Lock = ''): Promise<VectorDb | undefined> {
    return this.uow.first<VectorDb>(
      `SELECT ${COLUMNS} FROM vector_dbs WHERE tenant_id = $1 AND id = $2::bigint AND deleted_at IS NULL ${lock}`,
      [this.uow.tenantId, id],
    );
  }

  async counts(id: number): Promise<VectorDbCounts> {
    const found = await this.uow.first<VectorDbCounts>(
      `SELECT (SELECT count(*)::int FROM vector_db_attachments
                WHERE tenant_id = $1 AND vector_db_id = $2 AND detached_at IS NULL) AS "activeAttachments",
              (SELECT count(*)::int FROM vector_db_incident_logs
                WHERE tenant_id = $1 AND vector_db_id = $2 AND resolved_at IS NULL) AS "openIncidents"`,
      [this.uow.tenantId, id],
    );
    return found ?? { activeAttachments: 0, openIncidents: 0 };
  }

  async insert(db: Omit<VectorDb, 'id' | 'createdAt'>): Promise<VectorDb> {
    const [row] = await this.uow.rows<VectorDb>(
      `INSERT INTO vector_dbs (tenant_id, uid, owner_id, name, db_type, url, region, status)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING ${COLUMNS}`,
      [this.uow.tenantId, db.uid, db.ownerId, db.name, db.dbType, db.url, db.region, db.status],
    );
    return row as VectorDb;
  }

  async delete(id: number): Promise<void> {
    await this.uow.execute(`UPDATE vector_dbs SET deleted_at = now() WHERE tenant_id = $1 AND id = $2`, [
      this.uow.tenantId,
      id,
    ]);
  }
}

const COLUMNS = `id, uid, owner_id AS "ownerId", name, db_type AS "dbType", url, region, status,
  created_at AS "createdAt"`;
