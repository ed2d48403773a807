import { Inject, Injectable } from '@nestjs/common';
import { runInContext, systemContext } from '../../../kernel/context.js';
import { Ids } from '../../../kernel/ids.js';
import { Clock } from '../../../kernel/time.js';
import { UnitOfWork } from '../../../platform/db/index.js';
import { ResidencyJobsRepository } from '../persistence/residency-jobs.repository.js';
import { movesSettings, type MovesSettings } from '../tenant-moves.settings.js';
import { ArchiveFrames } from './archive-frames.js';

const DAY_MS = 86_400_000;
const BATCH = 20;

/** Copies of tenants that lie in the blob store until they are not needed any more. */
@Injectable()
export class KeptArchives {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly stored: ResidencyJobsRepository,
    private readonly frames: ArchiveFrames,
    private readonly ids: Ids,
    private readonly clock: Clock,
    @Inject(movesSettings.token) private readonly settings: Pick<MovesSettings, 'artifactDays'>,
  ) {}

  /** Removes those of jobs that ended long ago, and previews that have expired. Harmless in several processes at once. */
  async sweep(): Promise<void> {
    const now = this.clock.now();
    const before = new Date(now.getTime() - this.settings.artifactDays * DAY_MS);
    const found = await this.uow.acrossTenants('moves', async () => {
      await this.stored.deleteExpiredPreviews(now);
      return this.stored.withArchive(before, BATCH);
    });
    for (const { ownerTenantId, ...move } of found) {
      await runInContext(systemContext(this.ids.uuid(), ownerTenantId), () => this.remove(move));
    }
  }

  /** The archive of a move of the context's tenant, and its list. */
  async remove(move: { readonly id: string; readonly tenantId: string }): Promise<void> {
    const parts = await this.uow.read(() => this.stored.parts(move.id));
    await this.frames.remove(move, [0, ...parts.map(({ number }) => number)]);
    await this.uow.run(() => this.stored.deleteParts(move.id));
  }
}
