import { lookup } from 'node:dns/promises';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { abortable, follow } from '../../kernel/abort.js';
import type { Clock } from '../../kernel/time.js';
import { isAllowedAddress, literalAddress, targetFault, type EgressPolicy } from './allowed-target.js';

export type EgressFault = 'target_not_allowed' | 'name_not_found' | 'timeout' | 'connection_failed';

/** No answer came, or none was asked for. */
export class EgressFailure extends Error {
  constructor(
    readonly fault: EgressFault,
    cause?: unknown,
  ) {
    super(`The call failed: ${fault}.`, { cause });
    this.name = 'EgressFailure';
  }
}

export interface EgressRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Limit of the whole call, ms: looking the name up, connecting and the answer. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

export interface EgressResponse {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
}

/** All addresses of a name. */
export type Resolve = (hostname: string) => Promise<readonly string[]>;

const systemResolve: Resolve = async (hostname) =>
  (await lookup(hostname, { all: true, verbatim: true })).map(({ address }) => address);

/** Of an answer, whose status is all that anybody wants. */
const MOST_READ_BYTES = 4_096;

/**
 * Calls addresses that somebody else chose, without lending them this server's place in the network.
 *
 * Every address of the name must be allowed; the connection is made to one of those that were checked, whatever the
 * name resolves to by then. TLS verifies the name as ever. Redirects are answers like any other, proxies of the
 * environment are not used, and connections are not kept.
 */
export class Egress {
  constructor(
    private readonly policy: EgressPolicy,
    private readonly clock: Clock,
    private readonly resolve: Resolve = systemResolve,
  ) {}

  /** @throws EgressFailure; the reason of `signal` when it fires first. */
  async post(request: EgressRequest): Promise<EgressResponse> {
    const call = new AbortController();
    const unlink = follow(call, request.signal);
    const deadline = this.clock.after(request.timeoutMs, () => call.abort(new EgressFailure('timeout')));
    try {
      if (targetFault(request.url, this.policy) !== undefined) throw new EgressFailure('target_not_allowed');
      const url = new URL(request.url);
      const addresses = await abortable(this.#addresses(url), call.signal);
      return await exchange(url, addresses, request, call.signal);
    } finally {
      deadline.cancel();
      unlink();
    }
  }

  async #addresses(url: URL): Promise<readonly string[]> {
    const literal = literalAddress(url);
    if (literal !== undefined) return [literal];
    const addresses = await this.resolve(url.hostname).catch((cause: unknown) => {
      throw new EgressFailure('name_not_found', cause);
    });
    if (addresses.length === 0) throw new EgressFailure('name_not_found');
    if (!addresses.every((address) => isAllowedAddress(address, this.policy))) {
      throw new EgressFailure('target_not_allowed');
    }
    return addresses;
  }
}

function exchange(
  url: URL,
  addresses: readonly string[],
  { headers, body }: EgressRequest,
  signal: AbortSignal,
): Promise<EgressResponse> {
  return new Promise((resolve, reject) => {
    const open = url.protocol === 'https:' ? httpsRequest : httpRequest;
    const request = open(url, {
      method: 'POST',
      headers: { ...headers, 'Content-Length': Buffer.byteLength(body) },
      agent: false,
      lookup: only(addresses),
      signal,
    });
    // Once the status is here, nothing that happens to the rest changes it.
    let answer: EgressResponse | undefined;
    const settle = (error?: unknown): void => {
      if (answer !== undefined) resolve(answer);
      else reject(signal.aborted ? (signal.reason as Error) : new EgressFailure('connection_failed', error));
    };
    request.on('response', (response) => {
      answer = { status: response.statusCode ?? 0, headers: response.headers };
      response.on('error', settle);
      response.on('close', () => settle());
      discard(response);
    });
    request.on('error', settle);
    request.on('close', () => settle());
    request.end(body);
  });
}

/** Lets a short answer end the usual way, and drops the connection of a long one. */
function discard(response: IncomingMessage): void {
  let read = 0;
  response.on('data', (chunk: Buffer) => {
    read += chunk.length;
    if (read > MOST_READ_BYTES) response.destroy();
  });
}

/** Gives the connection the checked addresses, in place of a second look-up. */
function only(addresses: readonly string[]): LookupFunction {
  const known = addresses.map((address) => ({ address, family: isIP(address) }));
  return (_hostname, options, callback) => {
    const [first] = known;
    if (options.all === true) callback(null, [...known]);
    else callback(null, first?.address ?? '', first?.family);
  };
}
