import { Injectable } from '@nestjs/common';
import { AuditTrail, type AuditEntry } from '../../../kernel/audit.js';
import { Clock } from '../../../kernel/time.js';
import { UnitOfWork } from '../../../platform/db/index.js';
import { DocumentPermissionsRepository } from '../persistence/document-permissions.repository.js';

const BATCH = 1000;
const KEEP_MS = 30 * 86_400_000;

/** Deletes permissions that expired 30 days ago or longer. They have given nothing since. */
@Injectable()
export class GrantPruning {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly permissions: DocumentPermissionsRepository,
    private readonly audit: AuditTrail,
    private readonly clock: Clock,
  ) {}

  /** In small transactions. @returns how many. */
  async sweep(): Promise<number> {
    return this.#inBatches((before) => this.uow.acrossTenants('expiredGrants', () => this.#pruneSome(before, null)));
  }

  /** Does so for the context's tenant and no other. */
  async pruneTenant(): Promise<number> {
    return this.#inBatches((before) => this.uow.run(() => this.#pruneSome(before, this.uow.tenantId)));
  }

  async #inBatches(pruneSome: (before: Date) => Promise<number>): Promise<number> {
    const before = new Date(this.clock.now().getTime() - KEEP_MS);
    let total = 0;
    for (let deleted = BATCH; deleted === BATCH; total += deleted) deleted = await pruneSome(before);
    return total;
  }

  async #pruneSome(before: Date, tenantId: string | null): Promise<number> {
    const deleted = await this.permissions.deleteExpired(before, BATCH, tenantId);
    const counts = new Map<string, number>();
    for (const tenant of deleted) counts.set(tenant, (counts.get(tenant) ?? 0) + 1);
    if (counts.size > 0) await this.audit.record(...[...counts].map(([tenant, rows]) => entry(tenant, rows, before)));
    return deleted.length;
  }
}

function entry(tenantId: string, rows: number, before: Date): AuditEntry {
  return {
    event: 'authz.permission.pruned',
    outcome: 'success',
    resourceType: 'document_permission',
    metadata: { deleted_rows: rows, older_than: before.toISOString() },
    actor: { type: 'system', tenantId },
  };
}
