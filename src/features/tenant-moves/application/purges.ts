import { Injectable } from '@nestjs/common';
import { commonErrors } from '../../../kernel/common-errors.js';
import { sha256Hex } from '../../../kernel/hash.js';
import { Ids } from '../../../kernel/ids.js';
import { Clock } from '../../../kernel/time.js';
import { UnitOfWork } from '../../../platform/db/index.js';
import type { Move } from '../domain/move.js';
import { ResidencyJobsRepository } from '../persistence/residency-jobs.repository.js';
import { movesErrors } from '../tenant-moves.errors.js';
import { actor, Moves } from './moves.js';
import { PurgeConditions } from './purge-conditions.js';

const TOKEN_BYTES = 32;
const TOKEN_LIVES_MS = 15 * 60_000;

export interface PurgePreview {
  readonly matched: number;
  /** Rows by table. */
  readonly totals: Readonly<Record<string, number>>;
  /** Ids of some documents. */
  readonly sample: readonly string[];
  readonly token: string;
  readonly expiresAt: Date;
}

export interface PurgeRequest {
  readonly token: string;
  readonly confirm: boolean;
  readonly expectedCount: number;
  readonly reason: string;
}

/** Deletes a tenant where it was before. One operator looks what there is, another one has it deleted. */
@Injectable()
export class Purges {
  constructor(
    private readonly moves: Moves,
    private readonly stored: ResidencyJobsRepository,
    private readonly conditions: PurgeConditions,
    private readonly uow: UnitOfWork,
    private readonly ids: Ids,
    private readonly clock: Clock,
  ) {}

  /** @throws NOT_FOUND, residency.purge_not_migrated, residency.checksum_mismatch, LEGAL_HOLD_ACTIVE, residency.move_in_progress */
  async preview(tenantId: string): Promise<PurgePreview> {
    await this.moves.requireTenant(tenantId);
    const region = await this.conditions.require(tenantId);
    const earlier = await this.uow.read(() => this.stored.latest(tenantId, 'purge'));
    await this.conditions.requireMoved(tenantId);
    const { totals, matched, sample } = await this.conditions.contents(tenantId);
    const token = this.ids.secret(TOKEN_BYTES);
    const expiresAt = new Date(this.clock.now().getTime() + TOKEN_LIVES_MS);
    await this.uow.run(async () => {
      if (earlier?.state === 'previewed') await this.stored.delete(earlier.id);
      const parameters = { token_sha256: sha256Hex(token), expires_at: expiresAt.toISOString() };
      const preview = { id: this.ids.uuid(), kind: 'purge', tenantId, state: 'previewed', region, parameters } as const;
      await this.stored.insert({ ...preview, counts: totals, actor: actor() }, this.clock.now());
      await this.moves.record('residency.purge.previewed', await this.moves.require(preview.id, 'purge'), {
        counts: matched,
      });
    });
    return { matched, totals, sample, token, expiresAt };
  }

  /**
   * @throws BAD_REQUEST without the confirmation; residency.purge_token_invalid, residency.purge_second_operator,
   * residency.purge_count_changed when there is not what the preview showed, and as `preview` does.
   */
  async start({ token, confirm, expectedCount, reason }: PurgeRequest): Promise<Move> {
    if (!confirm) throw commonErrors.BAD_REQUEST({ message: 'Nothing is deleted without "confirm": true.' });
    const preview = await this.uow.read(() => this.stored.previewOf(sha256Hex(token)));
    const expired = preview === undefined || new Date(String(preview.parameters['expires_at'])) <= this.clock.now();
    if (expired) throw movesErrors['residency.purge_token_invalid']();
    if (preview.actor === actor()) throw movesErrors['residency.purge_second_operator']();
    await this.conditions.require(preview.tenantId);
    await this.conditions.requireMoved(preview.tenantId);
    const { matched, totals } = await this.conditions.contents(preview.tenantId);
    const asSeen = Object.entries(totals).every(([table, rows]) => (preview.counts[table] ?? 0) === rows);
    if (matched !== expectedCount || !asSeen)
      throw movesErrors['residency.purge_count_changed']({ details: { matched } });
    return this.uow.run(async () => {
      const locked = await this.stored.lock(preview.id, 'purge');
      if (locked?.state !== 'previewed') throw movesErrors['residency.purge_token_invalid']();
      const begun = await this.moves.begin(locked, 'purge', actor());
      await this.moves.record('residency.purge', begun, { reason, counts: matched });
      return begun;
    });
  }
}
