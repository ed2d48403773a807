import { describe, expect, it } from '@jest/globals';
import { loadSettings } from '../../../kernel/settings.js';
import { blobStoreSettings } from '../../../platform/blob-store/index.js';
import { Residency, ResidencyGate } from '../../residency/index.js';
import { RegionKeys } from '../domain/region-keys.js';
import { movesSettings } from '../tenant-moves.settings.js';
import { ExportPlace } from './export-place.js';
import { RegionKeyring } from './region-keyring.js';

const SECRET = Buffer.alloc(32, 1).toString('base64');
const PEERS = JSON.stringify({ us: new RegionKeys(SECRET).publicText });

const NO_GATE = {} as ResidencyGate;

function placeIn(zone: string | undefined, storedIn: string): ExportPlace {
  const env = {
    RESIDENCY_PRIVATE_KEY: SECRET,
    RESIDENCY_PEER_PUBLIC_KEYS_JSON: PEERS,
    DOCUMENT_STORAGE_DRIVER: 's3',
    DOCUMENT_STORAGE_S3_BUCKET: 'documents',
    DOCUMENT_STORAGE_S3_REGION: storedIn,
  };
  const settings = loadSettings(env, [movesSettings, blobStoreSettings]);
  const residency = { zone, zoneOf: (region: string) => (region === 'eu-central-1' ? 'eu' : region) } as Residency;
  return new ExportPlace(
    new RegionKeyring(settings.get(movesSettings)),
    residency,
    NO_GATE,
    settings.get(blobStoreSettings),
  );
}

// The copy of a tenant that must stay in its region lies in the bucket until it is fetched.
describe('an export', () => {
  it.each([
    ['eu', 'eu-central-1'],
    [undefined, 'us-east-1'],
  ])('of the region %s may be stored in %s', (zone, storedIn) => {
    expect(placeIn(zone, storedIn).require('us').name).toBe('us');
  });

  it('may not be stored outside its region', () => {
    expect(() => placeIn('eu', 'us-east-1').require('us')).toThrow(/outside the region/);
  });

  it('is made for no region whose key is unknown', () => {
    expect(() => placeIn('eu', 'eu-central-1').require('mars')).toThrow(/RESIDENCY_PEER_PUBLIC_KEYS_JSON/);
  });
});
