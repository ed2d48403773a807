import { Injectable } from '@nestjs/common';
import { inTenant } from '../../../kernel/context.js';
import { UnitOfWork } from '../../../platform/db/index.js';
import { differences, totalsOf, type Totals } from '../domain/manifest.js';
import { FILES, GROUPS, moving } from '../domain/tenant-tables.js';
import { MovingRowsRepository } from '../persistence/moving-rows.repository.js';
import type { Move, Part } from '../domain/move.js';
import { movesErrors } from '../tenant-moves.errors.js';
import type { OpenedFile } from './archive-intake.js';
import { ImportArchive } from './import-archive.js';
import type { ImportOptions } from './imports.js';
import { Moves, type Outcome } from './moves.js';
import { MovingData } from './moving-data.js';
import { TenantCaches } from './tenant-caches.js';

interface TableCounts {
  rows: number;
  present: number;
  different: number;
  written: number;
}

/** What a pass over the files does with one of them, and in which order it takes them. */
type Pass = (part: Part, file: OpenedFile) => Promise<void>;

/**
 * Writes an archive that was checked when it arrived. Each file is a transaction of its own, and writing one again
 * changes nothing, so an import that was interrupted goes on where it was. The last step reads everything back.
 */
@Injectable()
export class ImportWork {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly moves: Moves,
    private readonly rows: MovingRowsRepository,
    private readonly data: MovingData,
    private readonly archive: ImportArchive,
    private readonly caches: TenantCaches,
  ) {}

  async run(move: Move, signal: AbortSignal): Promise<Outcome> {
    const options = optionsOf(move);
    const parts = await this.moves.parts(move.id);
    const counts = await this.#compare(move, parts, signal);
    const differing = Object.keys(counts).filter((table) => (counts[table]?.different ?? 0) > 0);
    const audited = Object.fromEntries(Object.entries(counts).map(([table, { rows }]) => [table, rows]));
    if (options.dryRun) return { counts: { tables: counts }, audited };
    if (options.conflict === 'fail' && differing.length > 0 && !move.parameters['writing']) {
      throw movesErrors['residency.import_conflict']({ details: { tables: counts } });
    }
    await this.moves.note(move.id, { parameters: { ...move.parameters, writing: true } });
    if (options.conflict === 'replace') await this.#deleteOthers(move, parts, signal);
    await this.#write(move, parts, counts, signal);
    await this.caches.forget(move.tenantId);
    const verified = await this.#verify(move, parts, signal);
    await this.archive.remove(move, parts);
    return { counts: { tables: counts, verified, differing: differences(totalsOf(parts), verified) }, audited };
  }

  async #compare(move: Move, parts: readonly Part[], signal: AbortSignal): Promise<Record<string, TableCounts>> {
    const counts: Record<string, TableCounts> = {};
    await this.#each(move, parts, signal, async ({ table, rows }, { lines }) => {
      const so = (counts[table] ??= { rows: 0, present: 0, different: 0, written: 0 });
      so.rows += rows;
      if (table === FILES) return;
      const found = await this.uow.run(() => this.rows.compare(table, asArray(lines)));
      so.present += found.present;
      so.different += found.different;
    });
    return counts;
  }

  /** Children before parents, so that nothing refers to what goes. */
  async #deleteOthers(move: Move, parts: readonly Part[], signal: AbortSignal): Promise<void> {
    await this.#each(move, byTable(parts).reverse(), signal, async (part, { lines, files }) => {
      if (part.table === FILES) await this.archive.removeOthers(part, files);
      else await this.uow.run(() => this.rows.deleteOthers(part.table, part, asArray(lines)));
    });
  }

  async #write(
    move: Move,
    parts: readonly Part[],
    counts: Record<string, TableCounts>,
    signal: AbortSignal,
  ): Promise<void> {
    const overwrite = optionsOf(move).conflict === 'replace';
    await this.#each(move, byTable(parts), signal, async ({ table }, { lines, files }) => {
      const written =
        table === FILES
          ? await this.archive.store(files)
          : await this.uow.run(() => this.rows.write(table, asArray(lines), overwrite));
      const so = counts[table];
      if (so !== undefined) so.written += written;
    });
  }

  /** Also what was left out of the archive, because it was said to be here. */
  async #verify(move: Move, parts: readonly Part[], signal: AbortSignal): Promise<Totals> {
    const own: { table: string; rows: number; sha256: string }[] = [];
    for (const part of parts) {
      signal.throwIfAborted();
      const { rows, sha256, through } = await inTenant(move.tenantId, () => this.data.read(part.table, part));
      // More than was sent: it would take several files.
      const whole = JSON.stringify(through) === JSON.stringify(part.through);
      own.push({ table: part.table, rows, sha256: whole ? sha256 : 'more' });
      await this.moves.note(move.id);
    }
    return totalsOf(own);
  }

  async #each(move: Move, parts: readonly Part[], signal: AbortSignal, pass: Pass): Promise<void> {
    for (const part of parts.filter(({ included }) => included)) {
      signal.throwIfAborted();
      const file = await this.archive.open(move, part);
      await inTenant(move.tenantId, () => pass(part, file));
    }
  }
}

function optionsOf({ parameters }: Move): ImportOptions {
  return { dryRun: parameters['dry_run'] === true, conflict: parameters['conflict'] as ImportOptions['conflict'] };
}

/** Parents before children. */
function byTable(parts: readonly Part[]): Part[] {
  const order = moving(GROUPS);
  const placeOf = ({ table }: Part): number => order.indexOf(table);
  return [...parts].sort((a, b) => placeOf(a) - placeOf(b));
}

function asArray(lines: string): string {
  return `[${lines.trimEnd().replaceAll('\n', ',')}]`;
}
