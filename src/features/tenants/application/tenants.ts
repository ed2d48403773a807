import { Injectable } from '@nestjs/common';
import { UnitOfWork } from '../../../platform/db/index.js';

/** What a tenant's id may look like. */
export const TENANT_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

@Injectable()
export class Tenants {
  constructor(private readonly uow: UnitOfWork) {}

  /** Creates the tenant unless it exists. */
  async ensure(id: string, name = id): Promise<void> {
    await this.uow.acrossTenants('bootstrap', () =>
      this.uow.execute(`INSERT INTO tenants (id, name) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING`, [id, name]),
    );
  }
}
