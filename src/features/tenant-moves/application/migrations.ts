import { Injectable } from '@nestjs/common';
import { Ids } from '../../../kernel/ids.js';
import { UnitOfWork } from '../../../platform/db/index.js';
import { isEnded, nextState, type MigrationState, type MigrationStep } from '../domain/migration.js';
import type { Move } from '../domain/move.js';
import { ResidencyJobsRepository } from '../persistence/residency-jobs.repository.js';
import { movesErrors } from '../tenant-moves.errors.js';
import { Moves } from './moves.js';
import { MigrationConditions } from './migration-conditions.js';
import { MigrationSteps } from './migration-steps.js';
import { TenantFreezes } from './tenant-freezes.js';

/** The way of a tenant to another region, one step at a time, each when an operator says so. */
@Injectable()
export class Migrations {
  constructor(
    private readonly moves: Moves,
    private readonly stored: ResidencyJobsRepository,
    private readonly steps: MigrationSteps,
    private readonly conditions: MigrationConditions,
    private readonly freezes: TenantFreezes,
    private readonly uow: UnitOfWork,
    private readonly ids: Ids,
  ) {}

  /** @throws NOT_FOUND, residency.not_configured, residency.move_in_progress */
  async create(tenantId: string, region: string): Promise<Move> {
    this.conditions.requirePeer(region);
    await this.moves.requireTenant(tenantId);
    const id = this.ids.uuid();
    // Known from the beginning, so that a step that is repeated starts no second export.
    const parameters = { export_id: this.ids.uuid(), delta_export_id: this.ids.uuid() };
    return this.moves.plan({ id, kind: 'migration', tenantId, state: 'planned', region, parameters });
  }

  /**
   * Takes the next step, if its conditions hold.
   *
   * @param verification what the target region said, for the steps that need it.
   * @throws NOT_FOUND, residency.illegal_transition, and what MigrationSteps throws.
   */
  async advance(id: string, verification: unknown): Promise<Move> {
    const migration = await this.moves.get(id, 'migration');
    const to = this.#next(migration, 'advance');
    const counts = await this.steps.prepare(migration, to, verification);
    return this.#change(migration, 'advance', counts);
  }

  /**
   * Gives it up; from the cutover on, takes it back. Can be repeated.
   *
   * @throws NOT_FOUND, residency.illegal_transition after the purge, and while the tenant is pinned elsewhere.
   */
  async abort(id: string): Promise<Move> {
    const migration = await this.moves.get(id, 'migration');
    if (this.#next(migration, 'abort') === 'rolled_back') await this.conditions.requireReturned(migration);
    return this.#change(migration, 'abort');
  }

  /** After a purge of the tenant here, in its transaction. */
  async purged(tenantId: string): Promise<void> {
    const migration = await this.stored.latest(tenantId, 'migration');
    if (migration?.state === 'cooldown') await this.#changeNow(migration, 'purge');
  }

  async #change(migration: Move, step: MigrationStep, counts?: Move['counts']): Promise<Move> {
    const changed = await this.uow.acrossTenants('moves', () => this.#changeNow(migration, step, counts));
    await this.freezes.forget(changed.tenantId);
    return changed;
  }

  /** The state, and with it the freeze: both or neither. */
  async #changeNow({ id, state }: Move, step: MigrationStep, counts?: Move['counts']): Promise<Move> {
    const locked = await this.stored.lock(id, 'migration');
    if (locked?.state !== state)
      throw movesErrors['residency.illegal_transition']({ details: { state: locked?.state } });
    const to = this.#next(locked, step);
    if (to !== state) {
      const equal = counts === undefined ? {} : { counts };
      await this.moves.note(id, { state: to, ended: isEnded(to), ...equal });
      await this.moves.record(`residency.migration.${to}`, await this.moves.require(id, 'migration'), equal);
    }
    await this.freezes.follow(locked.tenantId, id, to);
    return this.moves.require(id, 'migration');
  }

  #next({ state }: Move, step: MigrationStep): MigrationState {
    const to = nextState(state as MigrationState, step);
    if (to !== undefined) return to;
    throw movesErrors['residency.illegal_transition']({
      details: { state },
      ...(state === 'cooldown'
        ? { message: 'The migration ends when the tenant is purged here: POST …/residency/purge/preview.' }
        : {}),
    });
  }
}
