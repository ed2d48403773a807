export { BlobStore } from './blob-store.js';
export { createBlobStore } from './create-blob-store.js';
export { blobStoreErrors } from './blob-store.errors.js';
export { blobStoreSettings, type BlobStoreSettings } from './blob-store.settings.js';
