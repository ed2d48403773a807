import { Inject, Injectable } from '@nestjs/common';
import { Clock } from '../../../kernel/time.js';
import { UnitOfWork } from '../../../platform/db/index.js';
import { OldUsageRepository, USAGE_TABLES, type UsageTable } from '../persistence/old-usage.repository.js';
import { quotasSettings, type QuotasSettings } from '../quotas.settings.js';

const BATCH = 1000;
const DAY_MS = 86_400_000;

@Injectable()
export class UsagePruning {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly old: OldUsageRepository,
    private readonly clock: Clock,
    @Inject(quotasSettings.token) private readonly settings: QuotasSettings,
  ) {}

  /** Deletes usage that began long enough ago, in small transactions, and returns how many rows. */
  async sweep(): Promise<number> {
    return this.#inBatches((table, before) =>
      this.uow.acrossTenants('usage', () => this.old.delete(table, before, BATCH, null)),
    );
  }

  /** Does so for the context's tenant and no other. */
  async pruneTenant(): Promise<number> {
    return this.#inBatches((table, before) =>
      this.uow.read(() => this.old.delete(table, before, BATCH, this.uow.tenantId)),
    );
  }

  async #inBatches(deleteSome: (table: UsageTable, before: Date) => Promise<number>): Promise<number> {
    const before = new Date(this.clock.now().getTime() - this.settings.retentionDays * DAY_MS);
    let total = 0;
    for (const table of USAGE_TABLES) {
      for (let deleted = BATCH; deleted === BATCH; total += deleted) deleted = await deleteSome(table, before);
    }
    return total;
  }
}
