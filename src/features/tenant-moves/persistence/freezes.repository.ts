import { Injectable } from '@nestjs/common';
import { UnitOfWork } from '../../../platform/db/index.js';

export interface Freeze {
  readonly migrationId: string;
  readonly frozenAt: Date;
}

/** Work on the context's tenant that began before it was frozen. */
export interface Unfinished {
  readonly runs: number;
  readonly documents: number;
  readonly jobs: number;
  /** That are not in their chain yet. */
  readonly receipts: number;
}

@Injectable()
export class FreezesRepository {
  constructor(private readonly uow: UnitOfWork) {}

  async find(): Promise<Freeze | undefined> {
    return this.uow.first<Freeze>(
      `SELECT migration_id AS "migrationId", frozen_at AS "frozenAt" FROM tenant_freezes WHERE tenant_id = $1`,
      [this.uow.tenantId],
    );
  }

  /** Keeps the freeze of this migration as it is; across tenants. */
  async impose(tenantId: string, { migrationId, frozenAt }: Freeze): Promise<void> {
    await this.uow.execute(
      `INSERT INTO tenant_freezes AS f (tenant_id, migration_id, frozen_at) VALUES ($1, $2, $3)
       ON CONFLICT (tenant_id) DO UPDATE SET migration_id = $2, frozen_at = $3 WHERE f.migration_id <> $2`,
      [tenantId, migrationId, frozenAt],
    );
  }

  /** Lifts a freeze unless its migration is in one of the states; across tenants. */
  async lift(tenantId: string, frozen: readonly string[]): Promise<void> {
    await this.uow.execute(
      `DELETE FROM tenant_freezes f WHERE tenant_id = $1 AND NOT EXISTS (
         SELECT FROM residency_jobs j
          WHERE j.moved_tenant_id = f.tenant_id AND j.id = f.migration_id AND j.state = ANY ($2))`,
      [tenantId, frozen],
    );
  }

  /** @param jobs names of those that write what moves. */
  async unfinished(jobs: readonly string[], now: Date): Promise<Unfinished> {
    const found = await this.uow.first<Unfinished>(
      `SELECT (SELECT count(*) FROM sessions WHERE tenant_id = $1 AND active_until > $3)::int AS runs,
              (SELECT count(*) FROM documents WHERE tenant_id = $1 AND status IN ('queued', 'processing'))::int AS documents,
              (SELECT count(*) FROM outbox_jobs
                WHERE tenant_id = $1 AND name = ANY ($2) AND state IN ('pending', 'running'))::int AS jobs,
              (SELECT count(*) FROM receipts WHERE tenant_id = $1 AND NOT chained)::int AS receipts`,
      [this.uow.tenantId, jobs, now],
    );
    return found ?? { runs: 0, documents: 0, jobs: 0, receipts: 0 };
  }
}
