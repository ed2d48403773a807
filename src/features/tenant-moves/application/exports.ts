import { Injectable } from '@nestjs/common';
import { commonErrors } from '../../../kernel/common-errors.js';
import { Ids } from '../../../kernel/ids.js';
import { ResidencyGate } from '../../residency/index.js';
import { GROUPS, type Group } from '../domain/tenant-tables.js';
import type { Move } from '../domain/move.js';
import { movesErrors } from '../tenant-moves.errors.js';
import { ArchiveFrames } from './archive-frames.js';
import { Moves } from './moves.js';
import { RegionKeyring } from './region-keyring.js';

export interface ExportRequest {
  /** Of the export; unset, one is made. */
  readonly id?: string;
  readonly tenantId: string;
  readonly targetRegion: string;
  readonly include?: readonly Group[] | undefined;
  /** Watermark of an earlier export for the same region: what is the same as then is left out. */
  readonly since?: string | undefined;
}

@Injectable()
export class Exports {
  constructor(
    private readonly moves: Moves,
    private readonly frames: ArchiveFrames,
    private readonly keyring: RegionKeyring,
    private readonly gate: ResidencyGate,
    private readonly ids: Ids,
  ) {}

  /**
   * @throws NOT_FOUND, residency.not_configured, residency.export_in_progress, residency.mismatch; VALIDATION_ERROR for a
   * watermark that is none of this tenant and region.
   */
  async start({ id, tenantId, targetRegion, include = GROUPS, since }: ExportRequest): Promise<Move> {
    this.keyring.own();
    this.keyring.peer(targetRegion);
    await this.gate.requireServed(tenantId);
    await this.moves.requireTenant(tenantId);
    if (since !== undefined) await this.#requireBase(since, tenantId, targetRegion);
    return this.moves.start({
      id: id ?? this.ids.uuid(),
      kind: 'export',
      tenantId,
      region: targetRegion,
      parameters: { include: [...new Set(['config', ...include])], since: since ?? null },
    });
  }

  /** The bytes of an export that has succeeded. @throws NOT_FOUND, residency.export_not_ready */
  async artifact(id: string): Promise<AsyncIterable<Uint8Array>> {
    const move = await this.moves.get(id, 'export');
    if (move.state !== 'succeeded' || move.region === null) throw movesErrors['residency.export_not_ready']();
    await this.frames.get(move, 0);
    const included = (await this.moves.parts(id)).filter((part) => part.included);
    const label = { export_id: id, target_region: move.region };
    return this.frames.archive(
      move,
      label,
      included.map(({ number }) => number),
    );
  }

  async #requireBase(since: string, tenantId: string, targetRegion: string): Promise<void> {
    const base = await this.moves.get(since, 'export').catch(() => undefined);
    if (base?.state !== 'succeeded' || base.tenantId !== tenantId || base.region !== targetRegion) {
      throw commonErrors.VALIDATION_ERROR({
        message: 'since_watermark must be the watermark of an export of this tenant for this region that succeeded.',
      });
    }
  }
}
