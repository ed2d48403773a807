import { parseEvents, type StreamEvent } from '../../harness/sse.js';

/** An event stream as it came over the wire, byte for byte. */
export class EventText {
  text = '';
  /** Whether the connection broke before the server ended the stream. */
  broken = false;
  readonly #controller = new AbortController();
  readonly #decoder = new TextDecoder();
  #reader: ReadableStreamDefaultReader<Uint8Array> | undefined;

  private constructor(readonly response: Response) {
    this.#reader = response.body?.getReader();
  }

  /** Rejects when there is no answer. */
  static async open(url: string, request: RequestInit): Promise<EventText> {
    const controller = new AbortController();
    const stream = new EventText(await fetch(url, { ...request, signal: controller.signal }));
    stream.#controller.signal.addEventListener('abort', () => controller.abort());
    return stream;
  }

  /** Reads until the condition holds, or the stream ends. @returns whether it holds. */
  async until(condition: (stream: this) => boolean): Promise<boolean> {
    while (!condition(this)) if (!(await this.#read())) return false;
    return true;
  }

  /** Reads to the end. */
  async end(): Promise<this> {
    while (await this.#read());
    return this;
  }

  /** Closes the connection, as a client that goes away. */
  leave(): void {
    this.#reader = undefined;
    this.#controller.abort();
  }

  /** Complete frames, each with its blank line. */
  get frames(): string[] {
    return this.text.split(/(?<=\n\n)/).filter((frame) => frame.endsWith('\n\n'));
  }

  get events(): StreamEvent[] {
    return parseEvents(this.frames.join(''));
  }

  /** Data of the first event of the type. */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- a test looks into payloads of every shape
  find(type: string): any {
    return this.events.find(({ data }) => data.type === type)?.data.data;
  }

  async #read(): Promise<boolean> {
    const reader = this.#reader;
    if (reader === undefined) return false;
    try {
      const { done, value } = await reader.read();
      if (value !== undefined) this.text += this.#decoder.decode(value, { stream: true });
      return !done;
    } catch {
      if (!this.#controller.signal.aborted) this.broken = true;
      return false;
    }
  }
}
