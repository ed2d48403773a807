import { createParser, type EventSourceMessage } from 'eventsource-parser';

/** One server-sent event, its data parsed. */
export interface StreamEvent {
  readonly event: string;
  readonly id: string | undefined;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- a test looks into payloads of every shape
  readonly data: any;
}

/** Reads a finished event stream. */
export function parseEvents(body: string): StreamEvent[] {
  const events: StreamEvent[] = [];
  createParser({ onEvent: (message) => events.push(toEvent(message)) }).feed(body);
  return events;
}

/** An open event stream, read event by event. `abort` leaves as a client that closes its connection. */
export class OpenStream {
  readonly events: StreamEvent[] = [];
  /** What was received so far, to the byte. */
  text = '';
  readonly #controller = new AbortController();
  #reader!: ReadableStreamDefaultReader<Uint8Array>;
  readonly #decoder = new TextDecoder();
  readonly #parser = createParser({ onEvent: (message) => this.events.push(toEvent(message)) });
  response!: Response;

  static post(url: string, token: string, body: object, headers: Record<string, string> = {}): Promise<OpenStream> {
    const json = { 'Content-Type': 'application/json', ...headers };
    return OpenStream.#open(url, token, { method: 'POST', headers: json, body: JSON.stringify(body) });
  }

  static get(url: string, token: string, headers: Record<string, string> = {}): Promise<OpenStream> {
    return OpenStream.#open(url, token, { headers });
  }

  static async #open(
    url: string,
    token: string,
    request: RequestInit & { headers: Record<string, string> },
  ): Promise<OpenStream> {
    const stream = new OpenStream();
    const headers = { Authorization: `Bearer ${token}`, ...request.headers };
    stream.response = await fetch(url, { ...request, headers, signal: stream.#controller.signal });
    if (stream.response.body === null) throw new Error('The response has no body.');
    stream.#reader = stream.response.body.getReader() as ReadableStreamDefaultReader<Uint8Array>;
    return stream;
  }

  /** Reads until an event satisfies the predicate. @throws when the stream ends first. */
  async until(predicate: (event: StreamEvent) => boolean): Promise<StreamEvent> {
    for (;;) {
      const found = this.events.find(predicate);
      if (found !== undefined) return found;
      if (!(await this.#read())) throw new Error('The stream ended before the event came.');
    }
  }

  async end(): Promise<StreamEvent[]> {
    while (await this.#read());
    return this.events;
  }

  abort(): void {
    this.#controller.abort();
  }

  async #read(): Promise<boolean> {
    const { done, value } = await this.#reader.read();
    const text = this.#decoder.decode(value, { stream: !done });
    this.text += text;
    this.#parser.feed(text);
    return !done;
  }
}

function toEvent(message: EventSourceMessage): StreamEvent {
  return { event: message.event ?? 'message', id: message.id, data: JSON.parse(message.data) as unknown };
}
