import { Inject, Injectable } from '@nestjs/common';
import { AuditTrail } from '../../../kernel/audit.js';
import { commonErrors } from '../../../kernel/common-errors.js';
import type { Page } from '../../../kernel/cursor.js';
import { Ids } from '../../../kernel/ids.js';
import { UnitOfWork } from '../../../platform/db/index.js';
import { mayActOn, type DbType, type VectorDb, type VectorDbCounts } from '../domain/vector-db.js';
import { VectorDbsRepository } from '../persistence/vector-dbs.repository.js';
import { vectorDbsErrors } from '../vector-dbs.errors.js';
import { vectorDbsSettings, type VectorDbsSettings } from '../vector-dbs.settings.js';
import { actor } from './actor.js';

export interface NewVectorDb {
  readonly name: string;
  readonly dbType: DbType;
  readonly region: string | null;
  readonly url: string | null;
}

/** Vector databases of the context's tenant. Somebody acts on their own only. */
@Injectable()
export class VectorDbs {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly dbs: VectorDbsRepository,
    private readonly audit: AuditTrail,
    private readonly ids: Ids,
    @Inject(vectorDbsSettings.token) private readonly settings: VectorDbsSettings,
  ) {}

  /** Those that the caller may act on. @throws INVALID_CURSOR */
  async list(limit: number, cursor?: string): Promise<Page<VectorDb>> {
    const { subjectId } = actor();
    const ownerId = mayActOn({ ownerId: '' }, actor(), this.settings.tenantAdminAccess) ? undefined : subjectId;
    return this.uow.read(() => this.dbs.list(ownerId, limit, cursor));
  }

  /** @throws VECTOR_DB_NOT_FOUND, VECTOR_DB_OWNERSHIP_MISMATCH */
  async get(id: number): Promise<VectorDb & VectorDbCounts> {
    return this.uow.read(async () => ({ ...(await this.owned(id)), ...(await this.dbs.counts(id)) }));
  }

  /** @throws VALIDATION_ERROR for an address where this installation records none. */
  async create({ name, dbType, region, url }: NewVectorDb): Promise<VectorDb> {
    if (url !== null && this.settings.provisioner !== 'external') {
      throw commonErrors.VALIDATION_ERROR({ message: 'url is recorded only where VECTOR_DB_PROVISIONER is external.' });
    }
    const ownerId = actor().subjectId;
    return this.uow.run(async () => {
      const status = url === null ? 'registered' : 'ready';
      const db = await this.dbs.insert({ uid: this.ids.opaque(), ownerId, name, dbType, url, region, status });
      await this.audit.record({
        event: 'vector_db.created',
        outcome: 'success',
        resourceType: 'vector_db',
        resourceId: String(db.id),
        metadata: { vector_db_id: db.id, db_type: dbType, region },
      });
      return db;
    });
  }

  /**
   * One that the caller may act on, in the unit of work that is open.
   *
   * @throws VECTOR_DB_NOT_FOUND, also for another tenant's; VECTOR_DB_OWNERSHIP_MISMATCH
   */
  async owned(id: number, lock?: 'FOR SHARE' | 'FOR UPDATE'): Promise<VectorDb> {
    const db = await this.require(id, lock);
    if (!mayActOn(db, actor(), this.settings.tenantAdminAccess)) throw vectorDbsErrors.VECTOR_DB_OWNERSHIP_MISMATCH();
    return db;
  }

  /** Whoever owns it, in the unit of work that is open. @throws VECTOR_DB_NOT_FOUND */
  async require(id: number, lock?: 'FOR SHARE' | 'FOR UPDATE'): Promise<VectorDb> {
    const db = await this.dbs.find(id, lock);
    if (db === undefined) throw vectorDbsErrors.VECTOR_DB_NOT_FOUND();
    return db;
  }
}
