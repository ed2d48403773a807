import { Injectable } from '@nestjs/common';
import type { JobHandler, JobRun } from '../../../kernel/jobs.js';
import { UnitOfWork } from '../../../platform/db/index.js';
import { ExportWork } from '../application/export-work.js';
import { ImportWork } from '../application/import-work.js';
import { Migrations } from '../application/migrations.js';
import { Moves, type Outcome } from '../application/moves.js';
import { PurgeWork } from '../application/purge-work.js';
import type { Move } from '../domain/move.js';
import { ResidencyJobsRepository } from '../persistence/residency-jobs.repository.js';
import type { MovePayload } from '../tenant-moves.jobs.js';

/** Who does what for which kind of move. */
@Injectable()
export class Works {
  constructor(
    private readonly exporting: ExportWork,
    private readonly importing: ImportWork,
    private readonly purging: PurgeWork,
  ) {}

  run(move: Move, signal: AbortSignal): Promise<Outcome> {
    if (move.kind === 'export') return this.exporting.run(move, signal);
    return move.kind === 'import' ? this.importing.run(move, signal) : this.purging.run(move, signal);
  }
}

@Injectable()
export class MoveHandler implements JobHandler<MovePayload> {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly stored: ResidencyJobsRepository,
    private readonly moves: Moves,
    private readonly works: Works,
    private readonly migrations: Migrations,
  ) {}

  async run({ payload, signal }: JobRun<MovePayload>): Promise<void> {
    const move = await this.uow.read(() => this.stored.find(payload.moveId, payload.kind));
    if (move === undefined || move.finishedAt !== null) return;
    const outcome = await this.works.run(move, signal);
    await this.uow.acrossTenants('moves', async () => {
      await this.moves.finish(move, outcome);
      if (move.kind === 'purge') await this.migrations.purged(move.tenantId);
    });
  }

  async failed({ payload }: JobRun<MovePayload>, error: unknown): Promise<void> {
    const move = await this.stored.lock(payload.moveId, payload.kind);
    if (move?.finishedAt === null) await this.moves.fail(move, error);
  }
}
