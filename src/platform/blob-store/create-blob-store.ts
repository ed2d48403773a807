import { join } from 'node:path';
import { SystemIds } from '../../kernel/ids.js';
import type { BlobStoreSettings } from './blob-store.settings.js';
import type { BlobStore } from './blob-store.js';
import { LocalBlobStore } from './local-blob-store.js';
import { S3BlobStore } from './s3-blob-store.js';

/**
 * The store that the settings ask for. Opens nothing: the first call to the store does.
 *
 * @param dataDir folder of the process's own data; holds the documents unless the settings name a folder.
 */
export function createBlobStore(settings: BlobStoreSettings, dataDir: string): BlobStore {
  if (settings.driver === 'local') {
    return new LocalBlobStore(settings.dir ?? join(dataDir, 'documents'), new SystemIds());
  }
  if (settings.s3Bucket === undefined) throw new Error('DOCUMENT_STORAGE_S3_BUCKET is required for the s3 driver.');
  return new S3BlobStore({
    bucket: settings.s3Bucket,
    region: settings.s3Region,
    endpoint: settings.s3Endpoint,
    forcePathStyle: settings.s3ForcePathStyle,
  });
}
