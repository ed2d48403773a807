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

  /** Keeps a freeze that is there. */
  async insert({ migrationId, frozenAt }: Freeze): Promise<void> {
    await this.uow.execute(
      `INSERT INTO tenant_freezes (tenant_id, migration_id, frozen_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`,
      [this.uow.tenantId, migrationId, frozenAt],
    );
  }

  async delete(migrationId: string): Promise<void> {
    await this.uow.execute(`DELETE FROM tenant_freezes WHERE tenant_id = $1 AND migration_id = $2`, [
      this.uow.tenantId,
      migrationId,
    ]);
  }

  /** @param jobs names of those that write what moves. */
  async unfinished(jobs: readonly string[], now: Date): Promise<Unfinished> {
    const found = await this.uow.first<Unfinished>(
      `SELECT (SELECT count(*) FROM sessions WHERE tenant_id = $1 AND active_until > $3)::int AS runs,
              (SELECT count(*) FROM documents WHERE tenant_id = $1 AND status IN ('queued', 'processing'))::int AS documents,
              (SELECT count(*) FROM outbox_jobs
                WHERE tenant_id = $1 AND name = ANY ($2) AND state IN ('pending', 'running'))::int AS jobs`,
      [this.uow.tenantId, jobs, now],
    );
    return found ?? { runs: 0, documents: 0, jobs: 0 };
  }
}
