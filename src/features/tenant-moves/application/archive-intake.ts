import { Inject, Injectable } from '@nestjs/common';
import { sha256Hex } from '../../../kernel/hash.js';
import { httpSettings, type HttpSettings } from '../../../platform/http/index.js';
import { Residency } from '../../residency/index.js';
import { TENANT_ID } from '../../tenants/index.js';
import { ArchiveReader, contextOf, NotAnArchive, type Label } from '../domain/archive.js';
import { readListedFiles, type ListedFile } from '../domain/listed-files.js';
import type { Manifest, ManifestFile } from '../domain/manifest.js';
import { CannotUnseal } from '../domain/region-keys.js';
import { NotTar, readTar } from '../domain/tar.js';
import { FILES, isMoving } from '../domain/tenant-tables.js';
import type { Part } from '../domain/move.js';
import { movesErrors } from '../tenant-moves.errors.js';
import { movesSettings, type MovesSettings } from '../tenant-moves.settings.js';
import { ArchiveFrames } from './archive-frames.js';
import { RegionKeyring } from './region-keyring.js';

const MIB = 1024 * 1024;
/** A frame holds a batch of rows, or one stored file more. */
const FRAME_ALLOWANCE = 64 * MIB;

/** The rows of one file of an archive, and the stored files that it lists. */
export interface OpenedFile {
  readonly lines: string;
  readonly files: readonly ListedFile[];
}

/** Opens archives that were made for this region, and believes nothing that was not signed. */
@Injectable()
export class ArchiveIntake {
  constructor(
    private readonly frames: ArchiveFrames,
    private readonly keyring: RegionKeyring,
    private readonly residency: Residency,
    @Inject(movesSettings.token) private readonly settings: MovesSettings,
    @Inject(httpSettings.token) private readonly http: HttpSettings,
  ) {}

  /**
   * Checks the archive while it arrives and keeps its frames, sealed as they are. When anything is wrong nothing is kept.
   *
   * @throws residency.import_wrong_region, residency.import_invalid
   */
  async receive(id: string, body: AsyncIterable<Uint8Array>): Promise<{ manifest: Manifest; parts: Part[] }> {
    const total = this.settings.maxImportMb * MIB;
    const reader = new ArchiveReader(body, { total, frame: this.http.maxFileBytes + FRAME_ALLOWANCE });
    return invalidUnlessSound(async () => {
      const label = await reader.label();
      if (label.target_region !== this.residency.zone) throw movesErrors['residency.import_wrong_region']();
      const manifest = this.#manifest(label, await reader.frame());
      const owner = { id, tenantId: manifest.tenant_id };
      const parts = manifest.files.map((file, place) => partOf(file, place + 1));
      const kept: number[] = [];
      try {
        for (const part of parts.filter(({ included }) => included)) {
          const sealed = await reader.frame();
          this.#open(label, part, sealed, manifest.tenant_id);
          kept.push(part.number);
          await this.frames.put(owner, part.number, sealed);
        }
        await reader.end();
      } catch (error) {
        await this.frames.remove(owner, kept);
        throw error;
      }
      return { manifest, parts };
    });
  }

  /** A frame that was kept, opened. @throws residency.import_invalid when it was changed since. */
  async open(archive: { id: string; tenantId: string }, label: Label, part: Part): Promise<OpenedFile> {
    const sealed = await this.frames.get(archive, part.number);
    return invalidUnlessSound(() => Promise.resolve(this.#open(label, part, sealed, archive.tenantId)));
  }

  #manifest(label: Label, sealed: Uint8Array): Manifest {
    const [entry, ...others] = readTar(this.keyring.own().unseal(sealed, contextOf(label, 0)));
    if (entry?.name !== 'manifest.json' || others.length > 0) throw new NotAnArchive('It has no manifest.');
    const manifest = this.keyring.manifest(JSON.parse(Buffer.from(entry.content).toString()));
    const sound =
      manifest?.export_id === label.export_id &&
      manifest.target_region === label.target_region &&
      TENANT_ID.test(manifest.tenant_id) &&
      manifest.files.every(({ table }) => isMoving(table));
    if (manifest === undefined || !sound) throw new NotAnArchive('Its manifest is not one, or signed by nobody.');
    return manifest;
  }

  #open(label: Label, part: Part, sealed: Uint8Array, tenantId: string): OpenedFile {
    const [entry, ...contents] = readTar(this.keyring.own().unseal(sealed, contextOf(label, part.number)));
    const lines = Buffer.from(entry?.content ?? []).toString();
    if (sha256Hex(lines) !== part.sha256) throw new NotAnArchive('A file is not the one that was signed.');
    const files = part.table === FILES ? readListedFiles(lines, contents, tenantId) : [];
    if (files === undefined || (part.table !== FILES && contents.length > 0)) {
      throw new NotAnArchive('Stored files are not those that are listed.');
    }
    return { lines, files };
  }
}

/** @throws residency.import_invalid for whatever shows that the archive is not sound. */
async function invalidUnlessSound<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const unsound = [NotAnArchive, NotTar, CannotUnseal, SyntaxError].some((kind) => error instanceof kind);
    throw unsound ? movesErrors['residency.import_invalid']({ cause: error }) : error;
  }
}

function partOf({ table, after, through, rows, sha256, included }: ManifestFile, number: number): Part {
  return { number, table, after, through, rows, sha256, included };
}
