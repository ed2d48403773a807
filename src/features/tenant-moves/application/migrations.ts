import { Injectable } from '@nestjs/common';
import { Ids } from '../../../kernel/ids.js';
import { Clock } from '../../../kernel/time.js';
import { UnitOfWork } from '../../../platform/db/index.js';
import { isEnded, nextState, type MigrationState, type MigrationStep } from '../domain/migration.js';
import type { Move } from '../domain/move.js';
import { ResidencyJobsRepository } from '../persistence/residency-jobs.repository.js';
import { movesErrors } from '../tenant-moves.errors.js';
import { actor, Moves } from './moves.js';
import { MigrationSteps } from './migration-steps.js';
import { RegionKeyring } from './region-keyring.js';

/** The way of a tenant to another region, one step at a time, each when an operator says so. */
@Injectable()
export class Migrations {
  constructor(
    private readonly moves: Moves,
    private readonly stored: ResidencyJobsRepository,
    private readonly steps: MigrationSteps,
    private readonly keyring: RegionKeyring,
    private readonly uow: UnitOfWork,
    private readonly ids: Ids,
    private readonly clock: Clock,
  ) {}

  /** @throws NOT_FOUND, residency.not_configured, residency.move_in_progress */
  async create(tenantId: string, region: string): Promise<Move> {
    this.keyring.own();
    this.keyring.peer(region);
    await this.moves.requireTenant(tenantId);
    const id = this.ids.uuid();
    // Known from the beginning, so that a step that is repeated starts no second export.
    const parameters = { export_id: this.ids.uuid(), delta_export_id: this.ids.uuid() };
    return this.uow.run(async () => {
      const migration = {
        id,
        kind: 'migration',
        tenantId,
        state: 'planned',
        region,
        parameters,
        actor: actor(),
      } as const;
      await this.stored.insert(migration, this.clock.now());
      const planned = await this.moves.require(id, 'migration');
      await this.moves.record('residency.migration.planned', planned);
      return planned;
    });
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

  /** @throws NOT_FOUND, residency.illegal_transition after the cutover. */
  async abort(id: string): Promise<Move> {
    const aborted = await this.#change(await this.moves.get(id, 'migration'), 'abort');
    await this.steps.thaw(aborted);
    return aborted;
  }

  /** After a purge of the tenant here. */
  async purged(tenantId: string): Promise<void> {
    const migration = await this.uow.read(() => this.stored.latest(tenantId, 'migration'));
    if (migration?.state === 'cooldown') await this.#change(migration, 'purge');
  }

  async #change({ id, state }: Move, step: MigrationStep, counts?: Move['counts']): Promise<Move> {
    return this.uow.run(async () => {
      const locked = await this.stored.lock(id, 'migration');
      if (locked?.state !== state)
        throw movesErrors['residency.illegal_transition']({ details: { state: locked?.state } });
      const to = this.#next(locked, step);
      await this.stored.update(id, this.clock.now(), {
        state: to,
        ended: isEnded(to),
        ...(counts === undefined ? {} : { counts }),
      });
      const changed = await this.moves.require(id, 'migration');
      await this.moves.record(`residency.migration.${to}`, changed);
      return changed;
    });
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
