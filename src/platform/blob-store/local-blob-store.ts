import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { Ids } from '../../kernel/ids.js';
import { assertBlobKey } from './blob-key.js';
import { blobStoreErrors } from './blob-store.errors.js';
import { BlobStore } from './blob-store.js';

/** Not a character of keys: it keeps files apart from folders, so that `a` and `a/b` can both be stored. */
const MARK = '~';

/**
 * Blobs as files below one folder, readable by this account only. Several processes may share the folder. A process
 * that dies while it writes leaves a file in the folder `~tmp`, which nothing reads and an operator may delete.
 * Folders that become empty stay: removing them would race with a `put` into them.
 */
export class LocalBlobStore extends BlobStore {
  readonly #root: string;
  readonly #ids: Ids;

  constructor(root: string, ids: Ids) {
    super();
    this.#root = resolve(root);
    this.#ids = ids;
  }

  async put(key: string, bytes: Uint8Array): Promise<void> {
    const path = this.#pathOf(key);
    await orUnavailable(async () => {
      const temporary = await this.#writeTemporary(bytes);
      try {
        const created = await makeFolder(dirname(path));
        await rename(temporary, path);
        await syncFolders(dirname(path), created);
      } finally {
        await rm(temporary, { force: true });
      }
    });
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    const path = this.#pathOf(key);
    return orUnavailable(async () => {
      try {
        return await readFile(path);
      } catch (error) {
        if (isMissing(error)) return undefined;
        throw error;
      }
    });
  }

  async delete(key: string): Promise<void> {
    const path = this.#pathOf(key);
    await orUnavailable(async () => {
      try {
        await rm(path);
        await syncFolder(dirname(path));
      } catch (error) {
        if (!isMissing(error)) throw error;
      }
    });
  }

  /** Writes a byte, so that a full or read-only disk shows as well. */
  async ping(): Promise<void> {
    await orUnavailable(async () => {
      await rm(await this.#writeTemporary(Uint8Array.of(0)), { force: true });
    });
  }

  #pathOf(key: string): string {
    assertBlobKey(key);
    return join(this.#root, key + MARK);
  }

  /** On the file system of the blobs, so that the rename is atomic. */
  async #writeTemporary(bytes: Uint8Array): Promise<string> {
    const folder = join(this.#root, `${MARK}tmp`);
    await makeFolder(folder);
    const path = join(folder, this.#ids.uuid());
    const file = await open(path, 'wx', 0o600);
    try {
      await file.writeFile(bytes);
      await file.sync();
    } catch (error) {
      await rm(path, { force: true });
      throw error;
    } finally {
      await file.close();
    }
    return path;
  }
}

/** Returns the topmost folder that had to be created, if any. */
async function makeFolder(path: string): Promise<string | undefined> {
  return mkdir(path, { recursive: true, mode: 0o700 });
}

/** A new name survives a power cut only once its folder is synced, and so does each new folder on the way to it. */
async function syncFolders(folder: string, topmostCreated: string | undefined): Promise<void> {
  const last = topmostCreated === undefined ? folder : dirname(topmostCreated);
  for (let current = folder; ; current = dirname(current)) {
    await syncFolder(current);
    if (current === last || current === dirname(current)) return;
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

function isMissing(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === 'ENOENT';
}

async function orUnavailable<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw blobStoreErrors.BLOB_STORE_UNAVAILABLE({ cause });
  }
}
