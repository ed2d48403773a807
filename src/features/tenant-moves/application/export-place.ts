import { Inject, Injectable } from '@nestjs/common';
import { blobStoreSettings, type BlobStoreSettings } from '../../../platform/blob-store/index.js';
import { Residency, ResidencyGate } from '../../residency/index.js';
import type { PeerKeys, RegionKeys } from '../domain/region-keys.js';
import { movesErrors } from '../tenant-moves.errors.js';
import { RegionKeyring } from './region-keyring.js';

export interface Region {
  readonly name: string;
  readonly keys: PeerKeys;
}

/** Where an export is made, and for whom. */
@Injectable()
export class ExportPlace {
  constructor(
    private readonly keyring: RegionKeyring,
    private readonly residency: Residency,
    private readonly gate: ResidencyGate,
    @Inject(blobStoreSettings.token) private readonly blobs: BlobStoreSettings,
  ) {}

  get keys(): RegionKeys {
    return this.keyring.own();
  }

  get zone(): string | null {
    return this.residency.zone ?? null;
  }

  /** The pin may have changed since the export was asked for. @throws residency.mismatch, residency.unavailable */
  requireServed(tenantId: string): Promise<void> {
    return this.gate.requireServed(tenantId);
  }

  /** @throws residency.not_configured; residency.artifact_out_of_zone when the archive would be stored elsewhere. */
  require(region: string | null): Region {
    const name = region ?? '';
    const at = this.blobs.driver === 's3' ? this.blobs.s3Region : undefined;
    if (this.zone !== null && at !== undefined && this.residency.zoneOf(at) !== this.zone) {
      throw movesErrors['residency.artifact_out_of_zone']();
    }
    return { name, keys: this.keyring.peer(name) };
  }
}
