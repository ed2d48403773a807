import { Inject, Injectable } from '@nestjs/common';
import { ConfigureTenant } from '../../residency/index.js';
import type { MigrationState } from '../domain/migration.js';
import { differences, type Totals, type Verification } from '../domain/manifest.js';
import type { Move } from '../domain/move.js';
import { movesErrors } from '../tenant-moves.errors.js';
import { movesSettings, type MovesSettings } from '../tenant-moves.settings.js';
import { Exports } from './exports.js';
import { Moves } from './moves.js';
import { RegionKeyring } from './region-keyring.js';
import { TenantFreezes } from './tenant-freezes.js';

type Exported = 'export_id' | 'delta_export_id';

/** What must hold before a migration is in a state, and what brings it there. Each can be repeated. */
@Injectable()
export class MigrationSteps {
  constructor(
    private readonly moves: Moves,
    private readonly exports: Exports,
    private readonly freezes: TenantFreezes,
    private readonly tenants: ConfigureTenant,
    private readonly keyring: RegionKeyring,
    @Inject(movesSettings.token) private readonly settings: Pick<MovesSettings, 'settleSeconds'>,
  ) {}

  /**
   * @returns rows by table, once it is certain that both regions have them.
   * @throws residency.export_not_ready, residency.verification_required, residency.checksum_mismatch,
   * residency.not_settled, and what an export throws.
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
        this.#verified(migration, 'export_id', verification);
        return undefined;
      case 'frozen':
        await this.freezes.freeze(migration.tenantId, migration.id);
        return undefined;
      case 'delta_sync':
        await this.#requireSettled(migration);
        await this.#export(migration, 'delta_export_id', idOf(migration, 'export_id'));
        return undefined;
      case 'cutover':
        return this.#equal(migration, verification);
      case 'cooldown':
        await this.#cutOver(migration, verification);
        return undefined;
      default:
        return undefined;
    }
  }

  async thaw({ tenantId, id }: Move): Promise<void> {
    await this.freezes.thaw(tenantId, id);
  }

  async #export({ tenantId, region, ...migration }: Move, which: Exported, since?: string): Promise<void> {
    const id = idOf(migration, which);
    const started = await this.moves.get(id, 'export').catch(() => undefined);
    if (started === undefined) await this.exports.start({ id, tenantId, targetRegion: region ?? '', since });
  }

  async #exported(migration: Pick<Move, 'parameters'>, which: Exported): Promise<Move> {
    const made = await this.moves.get(idOf(migration, which), 'export');
    if (made.state !== 'succeeded') throw movesErrors['residency.export_not_ready']({ details: { state: made.state } });
    return made;
  }

  async #requireSettled({ tenantId }: Move): Promise<void> {
    const { frozenSeconds, ...unfinished } = await this.freezes.unfinished(tenantId);
    const wait = Math.max(0, Math.ceil(this.settings.settleSeconds - frozenSeconds));
    if (wait === 0 && Object.values(unfinished).every((count) => count === 0)) return;
    throw movesErrors['residency.not_settled']({ details: { ...unfinished, wait_seconds: wait } });
  }

  /** What the target region signed about this export. */
  #verified(migration: Move, which: Exported, given: unknown): Verification {
    const verification = this.keyring.verification(given);
    const { tenantId, region } = migration;
    const about = verification?.tenant_id === tenantId && verification.export_id === idOf(migration, which);
    if (verification === undefined || !about || verification.region !== region) {
      throw movesErrors['residency.verification_required']({ details: { export_id: idOf(migration, which) } });
    }
    return verification;
  }

  async #equal(migration: Move, given: unknown): Promise<Move['counts']> {
    const made = await this.#exported(migration, 'delta_export_id');
    const { tables: theirs } = this.#verified(migration, 'delta_export_id', given);
    const tables = differences(made.manifest?.['tables'] as Totals, theirs);
    if (tables.length > 0) throw movesErrors['residency.checksum_mismatch']({ details: { tables } });
    return made.counts;
  }

  /** The target first: at no moment is the tenant served nowhere by a pin that leads nowhere. */
  async #cutOver(migration: Move, given: unknown): Promise<void> {
    const { tenantId, region } = migration;
    const { pin } = this.#verified(migration, 'delta_export_id', given);
    if (region === null || pin !== region) {
      throw movesErrors['residency.verification_required']({
        message: 'Pin the tenant in the target region first, then send the verification that its import shows now.',
      });
    }
    const reason = `migration ${migration.id}`;
    await this.tenants.patch(tenantId, { changes: { region }, force: true, expectedVersion: undefined, reason });
    await this.thaw(migration);
  }
}

function idOf({ parameters }: Pick<Move, 'parameters'>, which: Exported): string {
  return String(parameters[which]);
}
