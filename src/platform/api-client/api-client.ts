import { z } from 'zod';
import type { Secret } from '../../kernel/settings.js';
import type { Clock } from '../../kernel/time.js';
import { ApiUnreachable, connectionFault, jsonOf, refusalOf } from './api-fault.js';

export interface ApiTarget {
  /** With or without a path that the API is served under. */
  readonly hostUrl: string;
  readonly token: Secret | undefined;
  /** Limit of one call, ms. */
  readonly timeoutMs: number;
}

export interface ApiAnswer {
  /** What the answer is about; null when it has no body. */
  readonly data: unknown;
  /** For the next page of a list. */
  readonly nextCursor: string | undefined;
}

type Query = Readonly<Record<string, string | number | undefined>>;
type Body = Readonly<Record<string, unknown>>;
type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE';

const envelope = z.object({
  data: z.unknown(),
  meta: z.object({ page: z.object({ next_cursor: z.string().nullish() }).optional() }),
});

/** A path whose values cannot leave their place. */
export function apiPath(texts: TemplateStringsArray, ...values: readonly string[]): string {
  return texts.reduce((path, text, index) => path + encodeURIComponent(values[index - 1] ?? '') + text);
}

/**
 * The API as programs outside of the server use it.
 *
 * Fields of bodies and queries that are undefined are not sent. Redirects are answers like any other, so that the
 * token goes nowhere else. Nothing is repeated: whoever calls knows whether it may be.
 *
 * @throws ApiRefusal for an answer above 299; ApiUnreachable when none comes in time.
 */
export class ApiClient {
  constructor(
    private readonly target: ApiTarget,
    private readonly clock: Clock,
  ) {}

  get(path: string, query?: Query): Promise<ApiAnswer> {
    return this.#call('GET', path, query);
  }

  post(path: string, body: Body = {}): Promise<ApiAnswer> {
    return this.#call('POST', path, undefined, body);
  }

  patch(path: string, body: Body): Promise<ApiAnswer> {
    return this.#call('PATCH', path, undefined, body);
  }

  delete(path: string, query?: Query): Promise<ApiAnswer> {
    return this.#call('DELETE', path, query);
  }

  /**
   * Opens a stream; the timeout is that of its headers.
   *
   * @param call ends the connection, also once it is open.
   */
  open(path: string, headers: Readonly<Record<string, string>>, call: AbortController): Promise<Response> {
    return this.#within(call, () => this.#fetch('GET', path, { headers, signal: call.signal }));
  }

  #call(method: Method, path: string, query: Query = {}, body?: Body): Promise<ApiAnswer> {
    const call = new AbortController();
    return this.#within(call, async () => {
      const json = body === undefined ? {} : { body: JSON.stringify(body) };
      const headers = body === undefined ? {} : { 'Content-Type': 'application/json' };
      const response = await this.#fetch(method, path + queryText(query), { ...json, headers, signal: call.signal });
      const text = await response.text();
      if (text === '') return { data: null, nextCursor: undefined };
      const answer = jsonOf(text);
      if (answer === undefined) throw new ApiUnreachable(`${this.target.hostUrl} does not answer as the API does.`);
      const wrapped = envelope.safeParse(answer);
      if (!wrapped.success) return { data: answer, nextCursor: undefined };
      return { data: wrapped.data.data, nextCursor: wrapped.data.meta.page?.next_cursor ?? undefined };
    });
  }

  async #fetch(method: Method, path: string, init: RequestInit): Promise<Response> {
    const { hostUrl, token } = this.target;
    const headers = new Headers(init.headers);
    if (token !== undefined) headers.set('Authorization', `Bearer ${token.reveal()}`);
    const response = await fetch(hostUrl.replace(/\/+$/, '') + path, { ...init, method, headers, redirect: 'manual' });
    if (response.ok) return response;
    const elsewhere = response.headers.get('location');
    if (response.status < 400 && elsewhere !== null && URL.canParse(elsewhere, hostUrl)) {
      throw new ApiUnreachable(`${hostUrl} redirects to ${new URL(elsewhere, hostUrl).origin}. Use that instead.`);
    }
    throw refusalOf(response.status, response.headers.get('content-type') ?? '', await response.text());
  }

  async #within<T>(call: AbortController, work: () => Promise<T>): Promise<T> {
    const { hostUrl, timeoutMs } = this.target;
    const timer = this.clock.after(timeoutMs, () =>
      call.abort(new ApiUnreachable(`${hostUrl} did not answer within ${timeoutMs / 1000} s.`)),
    );
    try {
      return await work();
    } catch (error) {
      const why = connectionFault(error);
      if (why === undefined) throw error;
      throw new ApiUnreachable(`${hostUrl} cannot be reached (${why}).`, { cause: error });
    } finally {
      timer.cancel();
    }
  }
}

function queryText(query: Query): string {
  const given = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) given.set(name, String(value));
  return given.size === 0 ? '' : `?${given.toString()}`;
}
