import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { InvalidBlobKey } from './blob-key.js';
import type { BlobStore } from './blob-store.js';

export interface OpenBlobStore {
  readonly store: BlobStore;
  close(): Promise<void>;
}

const INVALID_KEYS = [
  '',
  '/etc/passwd',
  '..',
  '../x',
  'a/../../x',
  'a/..',
  'a//b',
  'a/',
  './a',
  'a/.',
  'a b',
  'a\\..\\b',
  'a\0',
  'a\n',
  'a~',
  '%2e%2e/x',
  'ä',
  'a'.repeat(255),
  'a/'.repeat(512) + 'a',
];

/** What every blob store guarantees. `open` makes an empty one. */
export function describeBlobStore(name: string, open: () => Promise<OpenBlobStore>): void {
  describe(`${name} as a blob store`, () => {
    let opened: OpenBlobStore;
    let store: BlobStore;
    beforeEach(async () => {
      opened = await open();
      store = opened.store;
    });
    afterEach(() => opened.close());

    async function stored(key: string): Promise<Buffer | undefined> {
      const bytes = await store.get(key);
      return bytes === undefined ? undefined : Buffer.from(bytes);
    }

    it('returns exactly the bytes that were put', async () => {
      const everyByte = Uint8Array.from({ length: 256 }, (_, value) => value);
      await store.put('tenants/t-1/documents/d_1/0a.bin', everyByte);
      expect(await stored('tenants/t-1/documents/d_1/0a.bin')).toEqual(Buffer.from(everyByte));
    });

    // A caller that passes a view of a larger buffer would otherwise publish its neighbours' bytes.
    it('stores a view of a buffer without the rest of the buffer', async () => {
      await store.put('view', Buffer.from('secret-public').subarray(7));
      expect(await stored('view')).toEqual(Buffer.from('public'));
    });

    it('keeps blobs of several megabytes whole', async () => {
      const large = Buffer.alloc(5 * 1024 * 1024 + 7, 'nexus');
      await store.put('large', large);
      expect((await stored('large'))?.equals(large)).toBe(true);
    });

    it('answers undefined for a key that was never put', async () => {
      expect(await store.get('missing')).toBeUndefined();
      expect(await store.get('missing/below')).toBeUndefined();
    });

    it('tells an empty blob from a missing one', async () => {
      await store.put('empty', new Uint8Array());
      expect(await stored('empty')).toEqual(Buffer.alloc(0));
    });

    it('replaces a blob, also with a shorter one', async () => {
      await store.put('key', Buffer.from('a long first version'));
      await store.put('key', Buffer.from('second'));
      expect(await stored('key')).toEqual(Buffer.from('second'));
    });

    it('deletes a blob, and accepts that it is already gone', async () => {
      await store.put('key', Buffer.from('x'));
      await store.delete('key');
      expect(await store.get('key')).toBeUndefined();
      await expect(store.delete('key')).resolves.toBeUndefined();
      await expect(store.delete('never/was')).resolves.toBeUndefined();
    });

    it('stores a key and a key below it side by side', async () => {
      await store.put('a', Buffer.from('1'));
      await store.put('a/b', Buffer.from('2'));
      await store.put('a/b/c', Buffer.from('3'));
      await store.delete('a/b');
      expect(await stored('a')).toEqual(Buffer.from('1'));
      expect(await store.get('a/b')).toBeUndefined();
      expect(await stored('a/b/c')).toEqual(Buffer.from('3'));
    });

    // Otherwise a reader during a re-upload gets half of one version and half of another, and fails to decrypt it.
    it('shows readers one whole version while writers race', async () => {
      const versions = [1, 2, 3, 4, 5, 6].map((value) => Buffer.alloc(200_000, value));
      await store.put('raced', Buffer.alloc(200_000, 0));
      const writes = versions.map((version) => store.put('raced', version));
      const reads = versions.map(() => stored('raced'));
      await Promise.all(writes);
      const seen = [...(await Promise.all(reads)), await stored('raced')];
      for (const bytes of seen) {
        expect(bytes?.length).toBe(200_000);
        expect(new Set(bytes).size).toBe(1);
      }
      expect(seen.at(-1)?.at(0)).toBeGreaterThan(0);
    });

    // Keys carry ids that clients choose; one that escapes reads or overwrites another tenant's document.
    it.each(INVALID_KEYS)('refuses the key %j for every operation', async (key) => {
      await expect(store.put(key, Buffer.from('x'))).rejects.toBeInstanceOf(InvalidBlobKey);
      await expect(store.get(key)).rejects.toBeInstanceOf(InvalidBlobKey);
      await expect(store.delete(key)).rejects.toBeInstanceOf(InvalidBlobKey);
    });

    it('takes names that only look like steps upwards', async () => {
      await store.put('...', Buffer.from('1'));
      await store.put('..a/b..', Buffer.from('2'));
      expect(await stored('...')).toEqual(Buffer.from('1'));
      expect(await stored('..a/b..')).toEqual(Buffer.from('2'));
    });

    it('answers a ping, before and after the first blob', async () => {
      await expect(store.ping()).resolves.toBeUndefined();
      await store.put('key', Buffer.from('x'));
      await expect(store.ping()).resolves.toBeUndefined();
    });
  });
}
