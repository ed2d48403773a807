import { join } from 'node:path';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { loadSettings, SettingsError } from '../../kernel/settings.js';
import { blobStoreSettings, type BlobStoreSettings } from './blob-store.settings.js';
import { createBlobStore } from './create-blob-store.js';
import { S3BlobStore } from './s3-blob-store.js';

function load(env: Record<string, string>): BlobStoreSettings {
  return loadSettings(env, [blobStoreSettings]).get(blobStoreSettings);
}

describe('blob store settings', () => {
  it('refuse the s3 driver without a bucket, naming the variable', () => {
    expect(() => load({ DOCUMENT_STORAGE_DRIVER: 's3' })).toThrow(SettingsError);
    expect(() => load({ DOCUMENT_STORAGE_DRIVER: 's3' })).toThrow(/DOCUMENT_STORAGE_S3_BUCKET is required/);
  });

  it('refuse an unknown driver', () => {
    expect(() => load({ DOCUMENT_STORAGE_DRIVER: 'ftp' })).toThrow(/DOCUMENT_STORAGE_DRIVER must be one of local, s3/);
  });

  it('allow the local driver in production', () => {
    expect(load({ NODE_ENV: 'production' }).driver).toBe('local');
  });
});

describe('createBlobStore', () => {
  let dataDir: string;
  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'data-'));
  });
  afterEach(() => rm(dataDir, { recursive: true }));

  it('keeps documents in the data folder by default', async () => {
    await createBlobStore(load({}), dataDir).put('key', Buffer.from('x'));
    expect((await stat(join(dataDir, 'documents'))).isDirectory()).toBe(true);
  });

  it('keeps documents in the folder that is set', async () => {
    const folder = join(dataDir, 'elsewhere');
    await createBlobStore(load({ DOCUMENT_STORAGE_DIR: folder }), dataDir).put('key', Buffer.from('x'));
    expect((await stat(folder)).isDirectory()).toBe(true);
    await expect(stat(join(dataDir, 'documents'))).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('makes an S3 store for the s3 driver', () => {
    const settings = load({ DOCUMENT_STORAGE_DRIVER: 's3', DOCUMENT_STORAGE_S3_BUCKET: 'documents' });
    expect(createBlobStore(settings, dataDir)).toBeInstanceOf(S3BlobStore);
  });
});
