import type { S3Client, S3ClientConfig } from '@aws-sdk/client-s3';
import { assertBlobKey } from './blob-key.js';
import { blobStoreErrors } from './blob-store.errors.js';
import { BlobStore } from './blob-store.js';

export interface S3BlobStoreOptions {
  readonly bucket: string;
  /** Unset: what the AWS environment or shared configuration says. */
  readonly region?: string | undefined;
  /** Unset: AWS. */
  readonly endpoint?: string | undefined;
  readonly forcePathStyle?: boolean | undefined;
  /** Unset: the AWS default credential chain. */
  readonly credentials?: S3ClientConfig['credentials'];
  /** Longest wait in ms for the first byte of an answer, and between two parts of it. Each attempt has its own. */
  readonly timeoutMs?: number | undefined;
}

const CONNECT_TIMEOUT_MS = 5_000;
const DEFAULT_TIMEOUT_MS = 30_000;

interface Sdk {
  readonly module: typeof import('@aws-sdk/client-s3');
  readonly client: S3Client;
}

/**
 * Blobs as objects of one bucket. The SDK repeats what failed for a passing reason, three attempts in all, and
 * checks what it reads against the stored checksum. It is loaded on first use, because it is large.
 */
export class S3BlobStore extends BlobStore {
  readonly #options: S3BlobStoreOptions;
  #sdk: Promise<Sdk> | undefined;

  constructor(options: S3BlobStoreOptions) {
    super();
    this.#options = options;
  }

  async put(key: string, bytes: Uint8Array): Promise<void> {
    assertBlobKey(key);
    await this.#call(({ client, module }) =>
      client.send(new module.PutObjectCommand({ ...this.#object(key), Body: bytes })),
    );
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    assertBlobKey(key);
    return this.#call(async ({ client, module }) => {
      try {
        const { Body: body } = await client.send(new module.GetObjectCommand(this.#object(key)));
        return (await body?.transformToByteArray()) ?? new Uint8Array();
      } catch (error) {
        if (isMissing(error)) return undefined;
        throw error;
      }
    });
  }

  async delete(key: string): Promise<void> {
    assertBlobKey(key);
    await this.#call(async ({ client, module }) => {
      try {
        await client.send(new module.DeleteObjectCommand(this.#object(key)));
      } catch (error) {
        if (!isMissing(error)) throw error;
      }
    });
  }

  /** Asks for the bucket: shows a wrong name, missing rights and an unreachable store. */
  async ping(): Promise<void> {
    await this.#call(({ client, module }) =>
      client.send(new module.HeadBucketCommand({ Bucket: this.#options.bucket })),
    );
  }

  #object(key: string): { Bucket: string; Key: string } {
    return { Bucket: this.#options.bucket, Key: key };
  }

  async #call<T>(work: (sdk: Sdk) => Promise<T>): Promise<T> {
    try {
      return await work(await (this.#sdk ??= this.#load()));
    } catch (cause) {
      throw blobStoreErrors.BLOB_STORE_UNAVAILABLE({ cause });
    }
  }

  async #load(): Promise<Sdk> {
    const module = await import('@aws-sdk/client-s3');
    const { region, endpoint, forcePathStyle, credentials, timeoutMs = DEFAULT_TIMEOUT_MS } = this.#options;
    const client = new module.S3Client({
      maxAttempts: 3,
      ...(region === undefined ? {} : { region }),
      ...(endpoint === undefined ? {} : { endpoint }),
      ...(forcePathStyle === undefined ? {} : { forcePathStyle }),
      ...(credentials === undefined ? {} : { credentials }),
      requestHandler: {
        connectionTimeout: Math.min(CONNECT_TIMEOUT_MS, timeoutMs),
        requestTimeout: timeoutMs,
        throwOnRequestTimeout: true,
        socketTimeout: timeoutMs,
      },
    });
    return { module, client };
  }
}

/** A missing bucket is a 404 too, and must not pass for a missing blob: hence by name, not by status. */
function isMissing(error: unknown): boolean {
  return error instanceof Error && error.name === 'NoSuchKey';
}
