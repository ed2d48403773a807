import { defineSettings, int, secret, textMap, type SettingsOf } from '../../kernel/settings.js';
import { PeerKeys, RegionKeys } from './domain/region-keys.js';

export const movesSettings = defineSettings(
  'tenantMoves',
  'Moves of tenants',
  {
    privateKey: secret({
      env: 'RESIDENCY_PRIVATE_KEY',
      doc: 'Secret of this region, with which it signs what it exports and opens what is exported for it; the same in its processes and in no other region. Make one with: openssl rand -base64 32',
    }),
    peerKeys: textMap({
      env: 'RESIDENCY_PEER_PUBLIC_KEYS_JSON',
      doc: 'Public keys of the regions that tenants go to or come from, such as {"us":"…"}; `nexusrag residency key` prints the one of a region.',
    }),
    maxImportMb: int({
      env: 'RESIDENCY_IMPORT_MAX_MB',
      default: 102_400,
      min: 1,
      max: 10_485_760,
      unit: 'MiB',
      doc: 'Largest archive that is taken in.',
    }),
    artifactDays: int({
      env: 'RESIDENCY_ARTIFACT_DAYS',
      default: 7,
      min: 1,
      max: 365,
      unit: 'days',
      doc: 'How long archives are kept after their job ended.',
    }),
    settleSeconds: int({
      env: 'RESIDENCY_SETTLE_S',
      default: 60,
      min: 0,
      max: 3600,
      unit: 's',
      doc: 'How long a tenant must have been frozen before its last changes are exported: above the time that a process may not know of it (30 s), and that a request takes.',
    }),
  },
  [
    ({ privateKey }) => fault('RESIDENCY_PRIVATE_KEY', () => privateKey && new RegionKeys(privateKey.reveal())),
    ({ peerKeys }) =>
      fault('RESIDENCY_PEER_PUBLIC_KEYS_JSON', () => Object.values(peerKeys).map((text) => new PeerKeys(text))),
  ],
);

export type MovesSettings = SettingsOf<typeof movesSettings>;

/** Never with the value. */
function fault(name: string, parse: () => unknown): string | undefined {
  try {
    parse();
    return undefined;
  } catch {
    return `${name} does not hold keys of regions. A secret: openssl rand -base64 32. Its public key: nexusrag residency key.`;
  }
}
