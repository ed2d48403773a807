import { Module } from '@nestjs/common';
import { PlansModule } from '../plans/index.js';
import { RbacAbacModule } from '../rbac-abac/index.js';
import { ResidencyModule } from '../residency/index.js';
import { ArchiveFrames } from './application/archive-frames.js';
import { ArchiveIntake } from './application/archive-intake.js';
import { ExportPlace } from './application/export-place.js';
import { ExportWork } from './application/export-work.js';
import { Exports } from './application/exports.js';
import { ImportArchive } from './application/import-archive.js';
import { ImportWork } from './application/import-work.js';
import { Imports } from './application/imports.js';
import { KeptArchives } from './application/kept-archives.js';
import { MigrationConditions } from './application/migration-conditions.js';
import { MigrationSteps } from './application/migration-steps.js';
import { Migrations } from './application/migrations.js';
import { Moves } from './application/moves.js';
import { BATCH_LIMITS, DEFAULT_BATCH, MovingData } from './application/moving-data.js';
import { PurgeConditions } from './application/purge-conditions.js';
import { PurgeWork } from './application/purge-work.js';
import { Purges } from './application/purges.js';
import { RegionKeyring } from './application/region-keyring.js';
import { RegionStatements } from './application/region-statements.js';
import { TenantCaches } from './application/tenant-caches.js';
import { TenantFreezes } from './application/tenant-freezes.js';
import { TenantPins } from './application/tenant-pins.js';
import { ExportsController } from './http/exports.controller.js';
import { ImportsController } from './http/imports.controller.js';
import { ResidencyMovesController } from './http/residency-moves.controller.js';
import { WriteGate } from './http/write-gate.guard.js';
import { MoveHandler, Works } from './jobs/move.handler.js';
import { FreezesRepository } from './persistence/freezes.repository.js';
import { MovingRowsRepository } from './persistence/moving-rows.repository.js';
import { ResidencyJobsRepository } from './persistence/residency-jobs.repository.js';
import { TableShapes } from './persistence/table-shapes.repository.js';

@Module({
  imports: [PlansModule, RbacAbacModule, ResidencyModule],
  controllers: [ExportsController, ImportsController, ResidencyMovesController],
  providers: [
    { provide: BATCH_LIMITS, useValue: DEFAULT_BATCH },
    ArchiveFrames,
    ArchiveIntake,
    ExportPlace,
    Exports,
    ExportWork,
    FreezesRepository,
    ImportArchive,
    Imports,
    ImportWork,
    KeptArchives,
    Migrations,
    MigrationConditions,
    MigrationSteps,
    MoveHandler,
    Moves,
    MovingData,
    MovingRowsRepository,
    PurgeConditions,
    Purges,
    PurgeWork,
    RegionKeyring,
    RegionStatements,
    ResidencyJobsRepository,
    TableShapes,
    TenantCaches,
    TenantFreezes,
    TenantPins,
    Works,
    WriteGate,
  ],
  exports: [KeptArchives, MoveHandler, WriteGate],
})
export class TenantMovesModule {}
