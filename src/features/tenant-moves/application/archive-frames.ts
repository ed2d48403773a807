import { Injectable } from '@nestjs/common';
import { BlobStore } from '../../../platform/blob-store/index.js';
import { frameLength, writeLabel, type Label } from '../domain/archive.js';
import { movesErrors } from '../tenant-moves.errors.js';

/** Where the frames of an export or an import are. */
interface Owner {
  readonly id: string;
  readonly tenantId: string;
}

/** Sealed frames in the blob store, one blob each. */
@Injectable()
export class ArchiveFrames {
  constructor(private readonly blobs: BlobStore) {}

  async put(owner: Owner, frame: number, sealed: Uint8Array): Promise<void> {
    await this.blobs.put(keyOf(owner, frame), sealed);
  }

  /** @throws residency.export_not_ready when it was removed. */
  async get(owner: Owner, frame: number): Promise<Uint8Array> {
    const found = await this.blobs.get(keyOf(owner, frame));
    if (found === undefined) throw movesErrors['residency.export_not_ready']();
    return found;
  }

  /** The whole archive. @throws residency.export_not_ready before anything was sent when it was removed. */
  async *archive(owner: Owner, label: Label, frames: readonly number[]): AsyncGenerator<Uint8Array> {
    const manifest = await this.get(owner, 0);
    yield Buffer.from(writeLabel(label));
    yield frameLength(manifest);
    yield manifest;
    for (const frame of frames) {
      const sealed = await this.get(owner, frame);
      yield frameLength(sealed);
      yield sealed;
    }
  }

  async remove(owner: Owner, frames: Iterable<number>): Promise<void> {
    for (const frame of frames) await this.blobs.delete(keyOf(owner, frame));
  }
}

function keyOf({ id, tenantId }: Owner, frame: number): string {
  return `tenants/${tenantId}/moves/${id}/${frame}`;
}
