import type { GoogleGenAI } from '@google/genai';
import type { ModelSettings } from './model-gateway.settings.js';
import { isConnectionError, kindOfStatus, UpstreamFailure } from './upstream-failure.js';

/** Loads the client library on first use; it costs start-up time and memory that most installations can save. */
export class VertexClient {
  #client: Promise<GoogleGenAI> | undefined;

  constructor(private readonly settings: ModelSettings) {}

  get(): Promise<GoogleGenAI> {
    this.#client ??= this.create();
    return this.#client;
  }

  private async create(): Promise<GoogleGenAI> {
    const { project, location, vertexBaseUrl, googleCredentials } = this.settings;
    const { GoogleGenAI } = await import('@google/genai');
    return new GoogleGenAI({
      vertexai: true,
      ...(project === undefined ? {} : { project }),
      ...(location === undefined ? {} : { location }),
      httpOptions: {
        // Node's own fetch; otherwise the library reaches into its internals to switch off time limits.
        fetch: (input: string | URL | Request, init?: RequestInit) => fetch(input, init),
        ...(vertexBaseUrl === undefined ? {} : { baseUrl: vertexBaseUrl }),
      },
      // eslint-disable-next-line @typescript-eslint/no-deprecated -- an operator's own file; the warning is about files of others
      ...(googleCredentials === undefined ? {} : { googleAuthOptions: { keyFilename: googleCredentials } }),
    });
  }
}

/**
 * What an error means that came instead of a response. The library obtains the access token within the call, so
 * whatever is neither an answer of the API nor a fault of the connection concerns the credentials: no key file, a
 * broken one, or one that the token service refuses.
 */
export function vertexCallFailure(error: unknown): UpstreamFailure {
  if (error instanceof UpstreamFailure) return error;
  const status = statusOf(error);
  if (isApiError(error)) return new UpstreamFailure(kindOfStatus(status ?? 500), { cause: error });
  const tokenServiceDown = status !== undefined && status >= 500;
  return new UpstreamFailure(isConnectionError(error) || tokenServiceDown ? 'unavailable' : 'auth', { cause: error });
}

/** What an error means that came after the response had begun. */
export function vertexStreamFailure(error: unknown): UpstreamFailure {
  if (error instanceof UpstreamFailure) return error;
  const status = isApiError(error) ? statusOf(error) : undefined;
  return new UpstreamFailure(status === undefined ? 'unavailable' : kindOfStatus(status), { cause: error });
}

function isApiError(error: unknown): boolean {
  return (error as { name?: unknown }).name === 'ApiError';
}

/** Of the API, or of the token service. */
function statusOf(error: unknown): number | undefined {
  const { status } = error as { status?: unknown };
  return typeof status === 'number' ? status : undefined;
}
