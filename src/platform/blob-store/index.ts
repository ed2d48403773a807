export { BlobStore } from './blob-store.js';
export { InvalidBlobKey, assertBlobKey } from './blob-key.js';
export { createBlobStore } from './create-blob-store.js';
export { LocalBlobStore } from './local-blob-store.js';
export { S3BlobStore, type S3BlobStoreOptions } from './s3-blob-store.js';
export { blobStoreErrors } from './blob-store.errors.js';
export { blobStoreSettings, type BlobStoreSettings } from './blob-store.settings.js';
