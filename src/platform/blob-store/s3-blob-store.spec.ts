import { Readable } from 'node:stream';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { S3Server } from '../../../test/harness/s3-server.js';
import { describeBlobStore } from './blob-store.contract.js';
import { S3BlobStore, type S3BlobStoreOptions } from './s3-blob-store.js';

const BUCKET = 'documents';
const unavailable = { code: 'BLOB_STORE_UNAVAILABLE', status: 503, spec: { retry: 'later' } };

function storeAt(server: S3Server, options: Partial<S3BlobStoreOptions> = {}): S3BlobStore {
  return new S3BlobStore({
    bucket: BUCKET,
    region: 'us-east-1',
    endpoint: server.endpoint,
    forcePathStyle: true,
    credentials: server.credentials,
    ...options,
  });
}

describeBlobStore('A bucket', async () => {
  const server = await S3Server.start([BUCKET]);
  return { store: storeAt(server), close: () => server.close() };
});

describe('S3BlobStore', () => {
  let server: S3Server;
  let store: S3BlobStore;
  beforeEach(async () => {
    server = await S3Server.start([BUCKET]);
    store = storeAt(server);
  });
  afterEach(() => server.close());

  async function expectUnavailable(failing: S3BlobStore): Promise<void> {
    await expect(failing.put('key', Buffer.from('x'))).rejects.toMatchObject(unavailable);
    await expect(failing.get('key')).rejects.toMatchObject(unavailable);
    await expect(failing.delete('key')).rejects.toMatchObject(unavailable);
    await expect(failing.ping()).rejects.toMatchObject(unavailable);
  }

  it('uses the key as it is and the bucket from the settings', async () => {
    await store.put('tenants/t/documents/d/sha', Buffer.from('x'));
    expect(server.requests).toEqual(['PUT /documents/tenants/t/documents/d/sha']);
    expect(server.keys(BUCKET)).toEqual(['tenants/t/documents/d/sha']);
  });

  it('rides out a passing failure', async () => {
    await store.put('key', Buffer.from('x'));
    server.failNext({ kind: 'status', status: 500, code: 'InternalError' });
    expect(Buffer.from((await store.get('key')) ?? [])).toEqual(Buffer.from('x'));
    expect(server.requests.filter((request) => request.startsWith('GET'))).toHaveLength(2);
  });

  it('answers BLOB_STORE_UNAVAILABLE when the store keeps failing', async () => {
    server.failAlways({ kind: 'status', status: 500, code: 'InternalError' });
    await expectUnavailable(store);
  });

  it('answers BLOB_STORE_UNAVAILABLE when nothing listens', async () => {
    const gone = await S3Server.start([]);
    const failing = storeAt(gone);
    await gone.close();
    await expectUnavailable(failing);
  });

  it('answers BLOB_STORE_UNAVAILABLE when the store refuses the credentials', async () => {
    await expectUnavailable(storeAt(server, { credentials: { accessKeyId: 'other', secretAccessKey: 'x' } }));
  });

  // A bucket name with a typing error would otherwise look like a store in which every document is missing.
  it('does not take a missing bucket for a missing blob', async () => {
    await expectUnavailable(storeAt(server, { bucket: 'no-such-bucket' }));
  });

  // Without a limit, one silent store holds every request and worker that touches it for ever.
  it('gives up on a store that does not answer', async () => {
    server.failAlways({ kind: 'silence' });
    await expect(storeAt(server, { timeoutMs: 50 }).get('key')).rejects.toMatchObject(unavailable);
  });

  it('does not return part of a blob when the connection breaks', async () => {
    await store.put('key', Buffer.alloc(100_000, 1));
    server.failAlways({ kind: 'truncate' });
    await expect(store.get('key')).rejects.toMatchObject(unavailable);
  });

  it('does not return a blob that was damaged on the way', async () => {
    await store.put('key', Buffer.alloc(1_000, 1));
    server.failAlways({ kind: 'corrupt' });
    await expect(store.get('key')).rejects.toMatchObject(unavailable);
  });

  it('reads what other clients uploaded as a stream', async () => {
    const { endpoint, credentials } = server;
    const client = new S3Client({ endpoint, credentials, region: 'us-east-1', forcePathStyle: true });
    const parts = [Buffer.alloc(70_000, 1), Buffer.alloc(3, 2)];
    await client.send(
      new PutObjectCommand({ Bucket: BUCKET, Key: 'streamed', Body: Readable.from(parts), ContentLength: 70_003 }),
    );
    client.destroy();
    expect(Buffer.from((await store.get('streamed')) ?? []).equals(Buffer.concat(parts))).toBe(true);
  });
});
