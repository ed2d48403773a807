import type { Clock, Timer } from '../../kernel/time.js';
import type { ApiClient } from './api-client.js';
import { ApiRefusal, ApiUnreachable, connectionFault } from './api-fault.js';
import { EventParser, type ServerSentEvent } from './server-sent-events.js';

/** Longer than any heartbeat of ours: a connection that is silent for so long is dead, ms. */
const LONGEST_SILENCE_MS = 90_000;
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 30_000;

interface FeedOptions {
  readonly clock: Clock;
  /** Id of the last event that is known; unset: where the API begins. */
  readonly after?: string | undefined;
  /** Called before each further connection, with the time until then. */
  readonly reconnecting: (waitMs: number) => void;
}

/**
 * The events of a stream, without an end. A connection that breaks or ends is opened again where it ended, so no
 * event is missed or comes twice.
 *
 * @throws ApiUnreachable when the first connection fails; ApiRefusal when the API refuses any.
 */
export async function* eventFeed(
  api: ApiClient,
  path: string,
  { clock, after, reconnecting }: FeedOptions,
): AsyncGenerator<ServerSentEvent> {
  let lastId = after ?? '';
  let wasOpen = false;
  let retryMs = FIRST_WAIT_MS;
  for (let failures = 0; ; failures += 1) {
    try {
      for await (const { events, retry } of connection(api, path, lastId, clock)) {
        wasOpen = true;
        retryMs = retry ?? retryMs;
        failures = 0;
        for (const event of events) {
          yield event;
          lastId = event.id;
        }
      }
    } catch (error) {
      if (!wasOpen || !mayPass(error)) throw error;
    }
    const waitMs = Math.min(retryMs * 2 ** failures, LONGEST_WAIT_MS);
    reconnecting(waitMs);
    await clock.sleep(waitMs);
  }
}

/** Yields once when it is open, then with every piece that comes. */
async function* connection(
  api: ApiClient,
  path: string,
  lastId: string,
  clock: Clock,
): AsyncGenerator<{ events: readonly ServerSentEvent[]; retry: number | undefined }> {
  const controller = new AbortController();
  const headers = { Accept: 'text/event-stream', ...(lastId === '' ? {} : { 'Last-Event-ID': lastId }) };
  const { body } = await api.open(path, headers, controller);
  const parser = new EventParser(lastId);
  const decoder = new TextDecoder();
  const listen = (): Timer =>
    clock.after(LONGEST_SILENCE_MS, () => controller.abort(new ApiUnreachable('The stream fell silent.')));
  let silence = listen();
  try {
    yield { events: [], retry: undefined };
    for await (const bytes of body ?? []) {
      silence.cancel();
      yield { events: parser.feed(decoder.decode(bytes as Uint8Array, { stream: true })), retry: parser.retryMs };
      silence = listen();
    }
  } finally {
    silence.cancel();
    controller.abort();
  }
}

/** Whether the same connection may come about later: broken, or refused for now. */
function mayPass(error: unknown): boolean {
  if (error instanceof ApiRefusal) return error.status >= 500 || error.status === 429;
  return error instanceof ApiUnreachable || connectionFault(error) !== undefined;
}
