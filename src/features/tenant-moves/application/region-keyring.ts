import { Inject, Injectable } from '@nestjs/common';
import { readManifest, readVerification, type Manifest, type Verification } from '../domain/manifest.js';
import { PeerKeys, RegionKeys } from '../domain/region-keys.js';
import { movesErrors } from '../tenant-moves.errors.js';
import { movesSettings, type MovesSettings } from '../tenant-moves.settings.js';

/** The keys of this region and of those that it exchanges tenants with. */
@Injectable()
export class RegionKeyring {
  readonly #own: RegionKeys | undefined;
  readonly #peers: ReadonlyMap<string, PeerKeys>;

  constructor(@Inject(movesSettings.token) { privateKey, peerKeys }: MovesSettings) {
    this.#own = privateKey === undefined ? undefined : new RegionKeys(privateKey.reveal());
    this.#peers = new Map(Object.entries(peerKeys).map(([region, text]) => [region, new PeerKeys(text)]));
  }

  /** @throws residency.not_configured */
  own(): RegionKeys {
    if (this.#own === undefined) throw movesErrors['residency.not_configured']();
    return this.#own;
  }

  /** @throws residency.not_configured */
  peer(region: string): PeerKeys {
    const found = this.#peers.get(region);
    if (found === undefined) throw movesErrors['residency.not_configured']({ details: { target_region: region } });
    return found;
  }

  /** Undefined unless a region that is known signed it, and signed it for itself. */
  manifest(value: unknown): Manifest | undefined {
    const manifest = readManifest(value, [...this.#peers.values()]);
    return this.#isOf(manifest?.source_region, manifest) ? manifest : undefined;
  }

  /** As `manifest`. */
  verification(value: unknown): Verification | undefined {
    const verification = readVerification(value, [...this.#peers.values()]);
    return this.#isOf(verification?.region, verification) ? verification : undefined;
  }

  /** A region signs in its own name; one in single-region mode has none. */
  #isOf(region: string | null | undefined, signed: { readonly signed_by: string } | undefined): boolean {
    return region == null || this.#peers.get(region)?.publicText === signed?.signed_by;
  }
}
