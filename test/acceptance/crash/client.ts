import type { Cluster, Life } from './cluster.js';

export interface Reply {
  readonly status: number;
  /** Undefined for an answer without a body. */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- a test looks into bodies of every shape
  readonly body: any;
}

/** Nobody knows whether the request was carried out. */
export class NoAnswer extends Error {
  override readonly name: string = 'no answer';
}

/** It was not even sent. */
export class NobodyServes extends NoAnswer {
  override readonly name = 'no API serves';
}

/** Longer than any request takes that is going to be answered. */
const PATIENCE_MS = 20_000;

/** Calls whichever API serves. */
export class Client {
  #turn = 0;

  constructor(
    readonly tenant: string,
    readonly token: string,
    readonly cluster: Cluster,
  ) {}

  /** The next API in turn. @throws NobodyServes. */
  next(): Life & { readonly url: string } {
    const { serving } = this.cluster;
    const life = serving[(this.#turn += 1) % Math.max(serving.length, 1)];
    if (life?.url === undefined) throw new NobodyServes();
    return life as Life & { url: string };
  }

  /** @throws NoAnswer */
  async call(method: string, path: string, body?: object, { url } = this.next()): Promise<Reply> {
    try {
      const response = await fetch(`${url}${path}`, {
        method,
        headers: this.headers,
        signal: AbortSignal.timeout(PATIENCE_MS),
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      return { status: response.status, body: text === '' ? undefined : (JSON.parse(text) as unknown) };
    } catch (error) {
      throw new NoAnswer(`${method} ${path}`, { cause: error });
    }
  }

  get headers(): Record<string, string> {
    return { Authorization: `Bearer ${this.token}`, 'Content-Type': 'application/json' };
  }
}

/** Code of a refusal. */
export function codeOf({ body }: Reply): string {
  return String(body?.error?.code ?? body?.code ?? 'none');
}
