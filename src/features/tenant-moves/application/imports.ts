import { Injectable } from '@nestjs/common';
import { commonErrors } from '../../../kernel/common-errors.js';
import { canonicalJson } from '../../../kernel/canonical-json.js';
import { sha256Hex } from '../../../kernel/hash.js';
import { Ids } from '../../../kernel/ids.js';
import type { Totals, Verification } from '../domain/manifest.js';
import type { Move, Part } from '../domain/move.js';
import { ArchiveFrames } from './archive-frames.js';
import { ArchiveIntake } from './archive-intake.js';
import { Moves } from './moves.js';
import { RegionKeyring } from './region-keyring.js';
import { RegionStatements } from './region-statements.js';

export interface ImportOptions {
  /** Only compare: nothing of the tenant is written. */
  readonly dryRun: boolean;
  /** What happens to rows that exist and differ. */
  readonly conflict: 'fail' | 'skip' | 'replace';
}

/** How the address of an import that has its archive begins, and ends with its id. */
const OWN_ARCHIVE = /^(?:\/v1)?\/admin\/imports\/([\w-]{1,64})$/;

@Injectable()
export class Imports {
  constructor(
    private readonly moves: Moves,
    private readonly intake: ArchiveIntake,
    private readonly frames: ArchiveFrames,
    private readonly keyring: RegionKeyring,
    private readonly statements: RegionStatements,
    private readonly ids: Ids,
  ) {}

  /**
   * Takes an archive in, as it arrives, and imports it when all of it has been checked. Before that nothing is kept.
   *
   * @throws residency.not_configured, residency.import_wrong_region, residency.import_invalid, residency.move_in_progress
   */
  async upload(body: AsyncIterable<Uint8Array>, options: ImportOptions): Promise<Move> {
    this.keyring.own();
    const id = this.ids.uuid();
    const { manifest, parts } = await this.intake.receive(id, body);
    try {
      return await this.#start(id, manifest.tenant_id, options, parts, {
        ...manifest,
        files: undefined,
        manifest_sha256: sha256Hex(canonicalJson(manifest)),
      });
    } catch (error) {
      await this.frames.remove(
        { id, tenantId: manifest.tenant_id },
        parts.map(({ number }) => number),
      );
      throw error;
    }
  }

  /** Imports what an earlier import took in and did not use up. @throws NOT_FOUND; VALIDATION_ERROR for another address. */
  async again(uri: string, options: ImportOptions): Promise<Move> {
    const earlier = OWN_ARCHIVE.exec(uri)?.[1];
    if (earlier === undefined) {
      throw commonErrors.VALIDATION_ERROR({
        message:
          'artifact_uri must be the status_url of an import whose archive is still here. Upload the archive otherwise.',
      });
    }
    const source = await this.moves.get(earlier, 'import');
    const archive = (source.parameters['archive'] as string | undefined) ?? earlier;
    const parts = await this.moves.parts(earlier);
    return this.#start(this.ids.uuid(), source.tenantId, options, parts, source.manifest ?? {}, archive);
  }

  /** Says, signed, what the import read back when it ended; undefined for one that wrote nothing. */
  async verification(move: Move): Promise<Verification | undefined> {
    const tables = move.counts['verified'] as Totals | undefined;
    if (tables === undefined || move.finishedAt === null) return undefined;
    return this.statements.of(move.tenantId, String(move.manifest?.['export_id']), tables, move.finishedAt);
  }

  #start(
    id: string,
    tenantId: string,
    options: ImportOptions,
    parts: readonly Part[],
    manifest: Readonly<Record<string, unknown>>,
    archive = id,
  ): Promise<Move> {
    const parameters = { dry_run: options.dryRun, conflict: options.conflict, archive };
    const region = (manifest['source_region'] as string | null | undefined) ?? null;
    return this.moves.start({ id, kind: 'import', tenantId, region, parameters, manifest }, parts);
  }
}
