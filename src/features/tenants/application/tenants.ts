import { Injectable } from '@nestjs/common';
import { UnitOfWork } from '../../../platform/db/index.js';
import { TenantSetup } from './tenant-setup.js';

/** What a tenant's id may look like. */
export const TENANT_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

@Injectable()
export class Tenants {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly setup: TenantSetup,
  ) {}

  /** Creates the tenant with what it starts with, unless it exists. */
  async ensure(id: string, name = id): Promise<void> {
    await this.uow.acrossTenants('bootstrap', async () => {
      const sql = `INSERT INTO tenants (id, name) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING`;
      if ((await this.uow.execute(sql, [id, name])) === 1) await this.setup.prepare(id);
    });
  }
}
