import { Injectable } from '@nestjs/common';
import { Ids } from '../../../kernel/ids.js';
import { ConfigureTenant } from '../../residency/index.js';
import type { MigrationState } from '../domain/migration.js';
import { differences, type Totals } from '../domain/manifest.js';
import type { Move } from '../domain/move.js';
import { movesErrors } from '../tenant-moves.errors.js';
import { Exports } from './exports.js';
import { MigrationConditions } from './migration-conditions.js';
import { Moves } from './moves.js';

type Exported = 'export_id' | 'delta_export_id';

/** What brings a migration into a state. Each can be repeated. */
@Injectable()
export class MigrationSteps {
  constructor(
    private readonly moves: Moves,
    private readonly exports: Exports,
    private readonly tenants: ConfigureTenant,
    private readonly conditions: MigrationConditions,
    private readonly ids: Ids,
  ) {}

  /**
   * @returns rows by table, once it is certain that both regions have them.
   * @throws residency.export_not_ready, residency.verification_required, residency.checksum_mismatch,
   * residency.not_settled, residency.not_configured, and what an export throws.
   */
  async prepare(migration: Move, to: MigrationState, verification: unknown): Promise<Move['counts'] | undefined> {
    switch (to) {
      case 'exporting':
        await this.#export(migration, 'export_id');
        return undefined;
      case 'importing':
        await this.#exported(migration, 'export_id');
        return undefined;
      case 'verifying':
        this.conditions.verified(migration, idOf(migration, 'export_id'), verification);
        return undefined;
      case 'delta_sync':
        await this.conditions.requireSettled(migration);
        await this.#export(migration, 'delta_export_id', idOf(migration, 'export_id'));
        return undefined;
      case 'cutover':
        this.conditions.requireZone();
        return this.#equal(migration, verification);
      case 'cooldown':
        await this.#cutOver(migration, verification);
        return undefined;
      default:
        return undefined;
    }
  }

  async #export({ tenantId, region, ...migration }: Move, which: Exported, since?: string): Promise<void> {
    const id = idOf(migration, which);
    if ((await this.#found(id)) === undefined) {
      await this.exports.start({ id, tenantId, targetRegion: region ?? '', since });
    }
  }

  async #found(exportId: string): Promise<Move | undefined> {
    return this.moves.get(exportId, 'export').catch(() => undefined);
  }

  /** Begins another export in the place of one that was of no use. @returns its id. */
  async #exportAgain(migration: Move, which: Exported, since?: string): Promise<string> {
    const id = this.ids.uuid();
    await this.exports.start({ id, tenantId: migration.tenantId, targetRegion: migration.region ?? '', since });
    await this.moves.note(migration.id, { parameters: { ...migration.parameters, [which]: id } });
    return id;
  }

  /** An export that failed is made again. @throws residency.export_not_ready until it has succeeded. */
  async #exported(migration: Move, which: Exported, since?: string): Promise<Move> {
    const id = idOf(migration, which);
    const made = await this.#found(id);
    if (made?.state === 'succeeded') return made;
    const current = made?.state === 'running' ? id : await this.#exportAgain(migration, which, since);
    throw movesErrors['residency.export_not_ready']({ details: { state: 'running', export_id: current } });
  }

  async #equal(migration: Move, given: unknown): Promise<Move['counts']> {
    const base = idOf(migration, 'export_id');
    const made = await this.#exported(migration, 'delta_export_id', base);
    const { tables: theirs } = this.conditions.verified(migration, made.id, given);
    const tables = differences(made.manifest?.['tables'] as Totals, theirs);
    const late = await this.conditions.changedSince(made);
    if (tables.length + late.length === 0) return made.counts;
    // What was changed there, nothing brings that is the difference of two states here.
    const export_id = await this.#exportAgain(migration, 'delta_export_id', tables.length > 0 ? undefined : base);
    throw movesErrors['residency.checksum_mismatch']({
      message:
        'The target region does not have what this one has; details.tables differ. Another export was begun: import it there with conflict=replace, and send its verification.',
      details: { tables: [...new Set([...tables, ...late])], export_id },
    });
  }

  /** The target first: at no moment is the tenant served nowhere by a pin that leads nowhere. */
  async #cutOver(migration: Move, given: unknown): Promise<void> {
    this.conditions.requireZone();
    const { tenantId, region } = migration;
    const { pin } = this.conditions.verified(migration, idOf(migration, 'delta_export_id'), given);
    if (region === null || pin !== region) {
      throw movesErrors['residency.verification_required']({
        message: 'Pin the tenant in the target region first, then send the verification that its import shows now.',
      });
    }
    const reason = `migration ${migration.id}`;
    await this.tenants.patch(tenantId, { changes: { region }, force: true, expectedVersion: undefined, reason });
  }
}

function idOf({ parameters }: Pick<Move, 'parameters'>, which: Exported): string {
  return String(parameters[which]);
}
