import type { OpenAI } from 'openai';
import type { Clock } from '../../kernel/time.js';
import type { ModelSettings } from './model-gateway.settings.js';
import { kindOfStatus, parseRetryAfter, UpstreamFailure } from './upstream-failure.js';

const DEFAULT_BASE_URL = 'https://api.openai.com/v1';

/** Loads the client library on first use; it costs start-up time and memory that most installations can save. */
export class OpenAiClient {
  #client: Promise<OpenAI> | undefined;

  constructor(
    private readonly settings: ModelSettings,
    private readonly clock: Clock,
  ) {}

  get(): Promise<OpenAI> {
    this.#client ??= this.create();
    return this.#client;
  }

  /** What an error of the library means. Its status is absent when no answer came at all. */
  failure(error: unknown): UpstreamFailure {
    if (error instanceof UpstreamFailure) return error;
    const { status, code, headers } = error as { status?: unknown; code?: unknown; headers?: unknown };
    if (code === 'content_filter') return new UpstreamFailure('filtered', { cause: error });
    return new UpstreamFailure(typeof status === 'number' ? kindOfStatus(status) : 'unavailable', {
      cause: error,
      retryAfterMs:
        headers instanceof Headers ? parseRetryAfter(headers.get('retry-after'), this.clock.now()) : undefined,
    });
  }

  private async create(): Promise<OpenAI> {
    const { OpenAI } = await import('openai');
    return new OpenAI({
      baseURL: this.settings.openaiBaseUrl ?? DEFAULT_BASE_URL,
      // The library insists on a key; a server of one's own may need none.
      apiKey: this.settings.openaiApiKey?.reveal() ?? 'none',
      // Only declared settings count, not what else the environment holds.
      organization: null,
      project: null,
      adminAPIKey: null,
      webhookSecret: null,
      maxRetries: 0,
      // The library logs whole messages when it cannot parse them.
      logLevel: 'off',
    });
  }
}
