import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { SystemIds } from '../../kernel/ids.js';
import { describeBlobStore } from './blob-store.contract.js';
import { LocalBlobStore } from './local-blob-store.js';

const unavailable = { code: 'BLOB_STORE_UNAVAILABLE', status: 503 };

describeBlobStore('A folder', async () => {
  const parent = await mkdtemp(join(tmpdir(), 'blobs-'));
  return {
    store: new LocalBlobStore(join(parent, 'documents'), new SystemIds()),
    close: () => rm(parent, { recursive: true }),
  };
});

describe('LocalBlobStore', () => {
  let parent: string;
  let root: string;
  let store: LocalBlobStore;
  beforeEach(async () => {
    parent = await mkdtemp(join(tmpdir(), 'blobs-'));
    root = join(parent, 'documents');
    store = new LocalBlobStore(root, new SystemIds());
  });
  afterEach(() => rm(parent, { recursive: true }));

  async function filesBelow(folder: string): Promise<string[]> {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    return entries.filter((entry) => entry.isFile()).map((entry) => entry.name);
  }

  // Documents are confidential: other accounts of the machine must not be able to read them.
  it('keeps folders and files to its own account', async () => {
    await store.put('a/b', Buffer.from('x'));
    const modes = await Promise.all([root, join(root, 'a'), join(root, 'a', 'b~')].map((path) => stat(path)));
    expect(modes.map(({ mode }) => (mode & 0o777).toString(8))).toEqual(['700', '700', '600']);
  });

  it('shares the folder with other processes', async () => {
    await store.put('a/b', Buffer.from('x'));
    const other = new LocalBlobStore(root, new SystemIds());
    expect(Buffer.from((await other.get('a/b')) ?? [])).toEqual(Buffer.from('x'));
  });

  it('leaves nothing but the blobs behind', async () => {
    await store.put('a', Buffer.from('1'));
    await store.put('a', Buffer.from('2'));
    await store.ping();
    expect(await filesBelow(root)).toEqual(['a~']);
  });

  // Temporary files of failed writes would fill a disk that is already in trouble.
  it('cleans up after a write that fails at its last step', async () => {
    await mkdir(join(root, 'a~'), { recursive: true });
    await expect(store.put('a', Buffer.from('1'))).rejects.toMatchObject(unavailable);
    expect(await filesBelow(root)).toEqual([]);
  });

  it('answers BLOB_STORE_UNAVAILABLE with the cause when the folder cannot be used', async () => {
    await writeFile(root, 'a file where the folder should be');
    const cause = { code: expect.stringMatching(/^(ENOTDIR|EEXIST)$/) };
    await expect(store.put('a', Buffer.from('1'))).rejects.toMatchObject({ ...unavailable, cause });
    await expect(store.get('a')).rejects.toMatchObject({ ...unavailable, cause });
    await expect(store.delete('a')).rejects.toMatchObject({ ...unavailable, cause });
    await expect(store.ping()).rejects.toMatchObject({ ...unavailable, cause });
  });
});
