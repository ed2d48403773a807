import { Injectable } from '@nestjs/common';
import { inTenant } from '../../../kernel/context.js';
import { canonicalJson } from '../../../kernel/canonical-json.js';
import { sha256Hex } from '../../../kernel/hash.js';
import { Clock } from '../../../kernel/time.js';
import { UnitOfWork } from '../../../platform/db/index.js';
import { contextOf } from '../domain/archive.js';
import { FORMAT, FORMAT_VERSION, signed, totalsOf, type Key, type ManifestFile } from '../domain/manifest.js';
import { writeTar } from '../domain/tar.js';
import { moving } from '../domain/tenant-tables.js';
import type { Move, Part } from '../domain/move.js';
import { ResidencyJobsRepository } from '../persistence/residency-jobs.repository.js';
import { ArchiveFrames } from './archive-frames.js';
import { ExportPlace, type Region } from './export-place.js';
import type { Outcome } from './moves.js';
import { MovingData, type Batch } from './moving-data.js';

/**
 * Writes an archive file by file; after each it can be interrupted and goes on behind it. Tables are read children first
 * and written parents first: a row is then only missing its parent when that was deleted meanwhile, and it with it.
 *
 * With a base, the same ranges are read again, and those with the hash of then are listed and left out.
 */
@Injectable()
export class ExportWork {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly stored: ResidencyJobsRepository,
    private readonly data: MovingData,
    private readonly frames: ArchiveFrames,
    private readonly place: ExportPlace,
    private readonly clock: Clock,
  ) {}

  async run(move: Move, signal: AbortSignal): Promise<Outcome> {
    await this.place.requireServed(move.tenantId);
    const region = this.place.require(move.region);
    const { include, since } = move.parameters as { include: string[]; since: string | null };
    const base = new Map<string, Part>();
    if (since !== null) {
      for (const part of await this.uow.read(() => this.stored.parts(since)))
        base.set(placeOf(part.table, part.after), part);
    }
    const parts = await this.uow.read(() => this.stored.parts(move.id));
    for (const table of moving(include).reverse()) {
      let through: Key | null = null;
      for (let after = resumeAt(parts, table); after !== undefined;) {
        signal.throwIfAborted();
        const known = base.get(placeOf(table, after));
        // A range that has grown takes several files, and ends where it ended.
        through = known === undefined ? through : known.through;
        const range = { after, through };
        const batch = await inTenant(move.tenantId, () => this.data.read(table, range));
        const part = partOf(parts.length + 1, table, batch, known);
        if (part.included) await this.#seal(move, region, part, batch);
        await this.uow.run(async () => {
          await this.stored.addParts(move.id, [part]);
          await this.stored.update(move.id, this.clock.now(), {});
        });
        parts.push(part);
        after = batch.through ?? undefined;
      }
    }
    return this.#finish(move, region, parts);
  }

  async #seal(move: Move, region: Region, part: Part, { lines, files }: Batch): Promise<void> {
    const entries = [
      { name: fileName(part), content: Buffer.from(lines) },
      ...files.map((content, place) => ({ name: `${fileName(part)}.${place}`, content })),
    ];
    const context = contextOf({ export_id: move.id, target_region: region.name }, part.number);
    await this.frames.put(move, part.number, region.keys.seal(writeTar(entries), context));
  }

  async #finish(move: Move, region: Region, parts: readonly Part[]): Promise<Outcome> {
    const files = parts.map(fileOf);
    const counts = Object.fromEntries(Object.entries(totalsOf(files)).map(([table, { rows }]) => [table, rows]));
    const { include, since } = move.parameters as { include: string[]; since: string | null };
    const manifest = signed(this.place.keys, {
      format: FORMAT,
      format_version: FORMAT_VERSION,
      export_id: move.id,
      tenant_id: move.tenantId,
      source_region: this.place.zone,
      target_region: region.name,
      created_at: this.clock.now().toISOString(),
      include,
      watermark: move.id,
      since_watermark: since,
      counts,
      files,
    });
    const text = canonicalJson(manifest);
    const context = contextOf({ export_id: move.id, target_region: region.name }, 0);
    const entry = writeTar([{ name: 'manifest.json', content: Buffer.from(text) }]);
    await this.frames.put(move, 0, region.keys.seal(entry, context));
    return {
      counts,
      watermark: move.id,
      manifest: { ...manifest, files: undefined, tables: totalsOf(files), manifest_sha256: sha256Hex(text) },
      audited: counts,
    };
  }
}

function fileName({ table, number }: Part): string {
  return `${String(number).padStart(6, '0')}-${table}.ndjson`;
}

function fileOf(part: Part): ManifestFile {
  const { table, after, through, rows, sha256, included } = part;
  return { name: fileName(part), table, after, through, rows, sha256, included };
}

function partOf(number: number, table: string, batch: Batch, known: Part | undefined): Part {
  const { after, through, rows, sha256 } = batch;
  const unchanged = known !== undefined && same(known.through, through) && known.sha256 === sha256;
  return { number, table, after, through, rows, sha256, included: !unchanged };
}

/** Behind which key to go on; null at the start of the table, undefined when it is done. */
function resumeAt(parts: readonly Part[], table: string): Key | null | undefined {
  const last = parts.filter((part) => part.table === table).at(-1);
  return last === undefined ? null : (last.through ?? undefined);
}

function placeOf(table: string, after: Key | null): string {
  return JSON.stringify([table, after]);
}

function same(a: Key | null, b: Key | null): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
