import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { crc32 } from 'node:zlib';

/** What the server does instead of serving a request. */
export type S3Fault =
  | { readonly kind: 'status'; readonly status: number; readonly code: string }
  /** Accepts the request and never answers. */
  | { readonly kind: 'silence' }
  /** Announces the whole object, sends half of it and closes the connection. */
  | { readonly kind: 'truncate' }
  /** Sends an object with one bit flipped. */
  | { readonly kind: 'corrupt' };

/** A refusal in S3's own terms. */
class S3Refusal extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
  ) {
    super(code);
  }
}

/**
 * Speaks enough of S3's wire format for the AWS SDK, on a free port of the loopback interface: objects and buckets in
 * path style, XML errors, payload hashes and CRC32 checksums, and chunked payloads with trailers. Signatures must be
 * present and name the expected access key; they are not verified.
 */
export class S3Server {
  readonly credentials = { accessKeyId: 'test-access-key', secretAccessKey: 'test-secret' };
  /** `METHOD /path` of every request received, in order. */
  readonly requests: string[] = [];
  readonly #buckets: Map<string, Map<string, Buffer>>;
  readonly #server: Server;
  #faults: S3Fault[] = [];
  #lastingFault: S3Fault | undefined;

  private constructor(buckets: readonly string[]) {
    this.#buckets = new Map(buckets.map((name) => [name, new Map<string, Buffer>()]));
    this.#server = createServer((request, response) => void this.#serve(request, response));
  }

  static async start(buckets: readonly string[]): Promise<S3Server> {
    const server = new S3Server(buckets);
    await new Promise<void>((resolve) => server.#server.listen(0, '127.0.0.1', resolve));
    return server;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Keys stored in a bucket, sorted. */
  keys(bucket: string): string[] {
    return [...(this.#buckets.get(bucket)?.keys() ?? [])].sort();
  }

  /** The next requests meet these faults, one each. */
  failNext(...faults: S3Fault[]): void {
    this.#faults.push(...faults);
  }

  /** Every request meets this fault, until called with undefined. */
  failAlways(fault: S3Fault | undefined): void {
    this.#lastingFault = fault;
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    await closed;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = decodeURIComponent(new URL(request.url ?? '/', this.endpoint).pathname);
    this.requests.push(`${request.method} ${path}`);
    try {
      const raw = await readAll(request);
      const fault = this.#faults.shift() ?? this.#lastingFault;
      if (fault?.kind === 'silence') return;
      if (fault?.kind === 'status') throw new S3Refusal(fault.status, fault.code);
      this.#authorize(request);
      const [, bucket = '', ...rest] = path.split('/');
      const key = rest.join('/');
      if (key === '') this.#serveBucket(request, response, bucket);
      else this.#serveObject(request, response, { bucket, key, raw, fault });
    } catch (error) {
      if (error instanceof S3Refusal) refuse(request, response, error, path);
      else response.destroy();
    }
  }

  #authorize(request: IncomingMessage): void {
    const authorization = request.headers.authorization ?? '';
    if (!authorization.startsWith('AWS4-HMAC-SHA256 Credential=')) throw new S3Refusal(403, 'AccessDenied');
    if (!authorization.includes(`Credential=${this.credentials.accessKeyId}/`)) {
      throw new S3Refusal(403, 'InvalidAccessKeyId');
    }
  }

  #objects(bucket: string): Map<string, Buffer> {
    const objects = this.#buckets.get(bucket);
    if (objects === undefined) throw new S3Refusal(404, 'NoSuchBucket');
    return objects;
  }

  #serveBucket(request: IncomingMessage, response: ServerResponse, bucket: string): void {
    switch (request.method) {
      case 'PUT':
        if (this.#buckets.has(bucket)) throw new S3Refusal(409, 'BucketAlreadyOwnedByYou');
        this.#buckets.set(bucket, new Map());
        response.writeHead(200, { location: `/${bucket}` }).end();
        return;
      case 'HEAD':
        this.#objects(bucket);
        response.writeHead(200).end();
        return;
      case 'DELETE':
        if (this.#objects(bucket).size > 0) throw new S3Refusal(409, 'BucketNotEmpty');
        this.#buckets.delete(bucket);
        response.writeHead(204).end();
        return;
      default:
        throw new S3Refusal(501, 'NotImplemented');
    }
  }

  #serveObject(
    request: IncomingMessage,
    response: ServerResponse,
    call: { bucket: string; key: string; raw: Buffer; fault: S3Fault | undefined },
  ): void {
    const objects = this.#objects(call.bucket);
    switch (request.method) {
      case 'PUT': {
        const body = verifiedPayload(request, call.raw);
        objects.set(call.key, body);
        response.writeHead(200, { etag: etagOf(body) }).end();
        return;
      }
      case 'GET':
      case 'HEAD': {
        const body = objects.get(call.key);
        if (body === undefined) throw new S3Refusal(404, 'NoSuchKey');
        sendObject(request, response, body, call.fault);
        return;
      }
      case 'DELETE':
        objects.delete(call.key);
        response.writeHead(204).end();
        return;
      default:
        throw new S3Refusal(501, 'NotImplemented');
    }
  }
}

async function readAll(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts);
}

function sendObject(
  request: IncomingMessage,
  response: ServerResponse,
  body: Buffer,
  fault: S3Fault | undefined,
): void {
  response.writeHead(200, {
    'content-type': 'application/octet-stream',
    'content-length': body.length,
    etag: etagOf(body),
    ...(request.headers['x-amz-checksum-mode'] === 'ENABLED' ? { 'x-amz-checksum-crc32': crcOf(body) } : {}),
  });
  if (request.method === 'HEAD') {
    response.end();
  } else if (fault?.kind === 'truncate') {
    response.write(body.subarray(0, body.length / 2), () => response.destroy());
  } else if (fault?.kind === 'corrupt') {
    const damaged = Buffer.from(body);
    damaged.writeUInt8(damaged.readUInt8(0) ^ 1, 0);
    response.end(damaged);
  } else {
    response.end(body);
  }
}

function refuse(request: IncomingMessage, response: ServerResponse, refusal: S3Refusal, resource: string): void {
  response.writeHead(refusal.status, { 'content-type': 'application/xml' });
  // A HEAD answer has no body, which is why the SDK calls those errors NotFound.
  if (request.method === 'HEAD') {
    response.end();
    return;
  }
  const escaped = resource.replace(/[&<>]/g, (character) => `&#${character.charCodeAt(0)};`);
  response.end(
    `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${refusal.code}</Code><Message>${refusal.code}</Message>` +
      `<Resource>${escaped}</Resource><RequestId>0</RequestId></Error>`,
  );
}

/** The object's bytes, once they match every length and checksum that the client announced. */
function verifiedPayload(request: IncomingMessage, raw: Buffer): Buffer {
  const contentHash = request.headers['x-amz-content-sha256'];
  const streaming = typeof contentHash === 'string' && contentHash.startsWith('STREAMING-');
  const { body, trailers } = streaming ? decodeChunked(raw) : { body: raw, trailers: new Map<string, string>() };
  if (!streaming && contentHash !== 'UNSIGNED-PAYLOAD') {
    const actual = createHash('sha256').update(body).digest('hex');
    if (actual !== contentHash) throw new S3Refusal(400, 'XAmzContentSHA256Mismatch');
  }
  const announced = request.headers['x-amz-decoded-content-length'];
  if (announced !== undefined && Number(announced) !== body.length) throw new S3Refusal(400, 'IncompleteBody');
  const promised = request.headers['x-amz-trailer'];
  if (typeof promised === 'string' && !trailers.has(promised)) throw new S3Refusal(400, 'MalformedTrailerError');
  const checksum = request.headers['x-amz-checksum-crc32'] ?? trailers.get('x-amz-checksum-crc32');
  if (checksum !== undefined && checksum !== crcOf(body)) throw new S3Refusal(400, 'BadDigest');
  return body;
}

/** The `aws-chunked` coding: `<hex length>[;chunk-signature=…]\r\n<data>\r\n`, a chunk of length 0, then trailers. */
function decodeChunked(raw: Buffer): { body: Buffer; trailers: Map<string, string> } {
  const parts: Buffer[] = [];
  let position = 0;
  const line = (): string => {
    const end = raw.indexOf('\r\n', position);
    if (end < 0) throw new S3Refusal(400, 'IncompleteBody');
    const text = raw.toString('latin1', position, end);
    position = end + 2;
    return text;
  };
  for (;;) {
    const length = Number.parseInt(line(), 16);
    if (Number.isNaN(length) || position + length > raw.length) throw new S3Refusal(400, 'IncompleteBody');
    if (length === 0) break;
    parts.push(raw.subarray(position, position + length));
    position += length;
    if (line() !== '') throw new S3Refusal(400, 'IncompleteBody');
  }
  const trailers = new Map<string, string>();
  while (position < raw.length) {
    const [name = '', ...value] = line().split(':');
    if (name !== '') trailers.set(name.toLowerCase(), value.join(':').trim());
  }
  return { body: Buffer.concat(parts), trailers };
}

function crcOf(body: Buffer): string {
  const digest = Buffer.alloc(4);
  digest.writeUInt32BE(crc32(body));
  return digest.toString('base64');
}

function etagOf(body: Buffer): string {
  return `"${createHash('md5').update(body).digest('hex')}"`;
}
