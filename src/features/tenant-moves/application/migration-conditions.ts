import { Inject, Injectable } from '@nestjs/common';
import { inTenant } from '../../../kernel/context.js';
import { differences, totalsOf, type Totals, type Verification } from '../domain/manifest.js';
import type { Move } from '../domain/move.js';
import { moving } from '../domain/tenant-tables.js';
import { movesErrors } from '../tenant-moves.errors.js';
import { movesSettings, type MovesSettings } from '../tenant-moves.settings.js';
import { Moves } from './moves.js';
import { MovingData } from './moving-data.js';
import { RegionKeyring } from './region-keyring.js';
import { TenantFreezes } from './tenant-freezes.js';
import { TenantPins } from './tenant-pins.js';

/** Small tables that operators and commands change, which no freeze keeps from it. */
const OPERATED = moving(['config', 'policies']);

/** What must hold before a migration takes a step. */
@Injectable()
export class MigrationConditions {
  constructor(
    private readonly moves: Moves,
    private readonly data: MovingData,
    private readonly freezes: TenantFreezes,
    private readonly keyring: RegionKeyring,
    private readonly pins: TenantPins,
    @Inject(movesSettings.token) private readonly settings: Pick<MovesSettings, 'settleSeconds'>,
  ) {}

  /** @throws residency.not_configured */
  requirePeer(region: string): void {
    this.keyring.own();
    this.keyring.peer(region);
  }

  /** @throws residency.not_configured */
  requireZone(): void {
    this.pins.requireZone();
  }

  /** @throws residency.not_settled */
  async requireSettled({ tenantId }: Move): Promise<void> {
    const { frozenSeconds, ...unfinished } = await this.freezes.unfinished(tenantId);
    const wait = Math.max(0, Math.ceil(this.settings.settleSeconds - frozenSeconds));
    if (wait === 0 && Object.values(unfinished).every((count) => count === 0)) return;
    throw movesErrors['residency.not_settled']({ details: { ...unfinished, wait_seconds: wait } });
  }

  /** What the target region signed about this export. @throws residency.verification_required */
  verified({ tenantId, region }: Move, exportId: string, given: unknown): Verification {
    const verification = this.keyring.verification(given);
    const about = verification?.tenant_id === tenantId && verification.export_id === exportId;
    if (verification === undefined || !about || verification.region !== region) {
      throw movesErrors['residency.verification_required']({ details: { export_id: exportId } });
    }
    return verification;
  }

  /** Names of the small tables that are not here any more as they were exported. */
  async changedSince({ id, tenantId, manifest }: Move): Promise<string[]> {
    const parts = (await this.moves.parts(id)).filter(({ table }) => OPERATED.includes(table));
    const now: { table: string; rows: number; sha256: string }[] = [];
    for (const part of parts) {
      const { rows, sha256 } = await inTenant(tenantId, () => this.data.read(part.table, part));
      now.push({ table: part.table, rows, sha256 });
    }
    const exported = Object.entries(manifest?.['tables'] as Totals).filter(([table]) => OPERATED.includes(table));
    return differences(Object.fromEntries(exported), totalsOf(now));
  }

  /** The tenant is served here again, or still. @throws residency.illegal_transition, residency.not_configured */
  async requireReturned({ tenantId, state }: Move): Promise<void> {
    const zone = this.pins.requireZone();
    const pin = await this.pins.of(tenantId);
    if (pin === zone || (state === 'cutover' && pin === null) || state === 'rolled_back') return;
    throw movesErrors['residency.illegal_transition']({
      message: 'Pin the tenant to this region again, in both regions, before you take the migration back.',
      details: { state },
    });
  }
}
