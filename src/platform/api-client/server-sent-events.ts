export interface ServerSentEvent {
  readonly event: string;
  /** Of this event, or of the last one that had any. */
  readonly id: string;
  readonly data: string;
}

/** More than any event has; beyond it the sender is broken. */
const MOST_CHARACTERS = 4 * 1024 * 1024;

/** Reads an event stream in pieces of any size. */
export class EventParser {
  /** What the server wants a client to wait before it connects again, ms. */
  retryMs: number | undefined;
  #rest = '';
  #id: string;
  #event = '';
  #data: string[] = [];

  /** @param id of the last event that was seen on an earlier connection. */
  constructor(id = '') {
    this.#id = id;
  }

  /** The events that the piece completes. @throws RangeError for an event without an end. */
  feed(piece: string): ServerSentEvent[] {
    // A carriage return at the end may be the first half of a line end.
    const text = this.#rest + piece;
    const complete = text.endsWith('\r') ? text.slice(0, -1) : text;
    const lines = complete.split(/\r\n|\n|\r/);
    this.#rest = (lines.pop() ?? '') + text.slice(complete.length);
    const events = lines.flatMap((line) => this.#line(line) ?? []);
    const held = this.#data.reduce((sum, line) => sum + line.length, this.#rest.length);
    if (held > MOST_CHARACTERS) throw new RangeError('The stream has an event without an end.');
    return events;
  }

  #line(line: string): ServerSentEvent | undefined {
    if (line === '') return this.#complete();
    const [, name = '', value = ''] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? [];
    if (name === 'data') this.#data.push(value);
    if (name === 'event') this.#event = value;
    if (name === 'id' && !value.includes('\0')) this.#id = value;
    if (name === 'retry' && /^\d{1,9}$/.test(value)) this.retryMs = Number(value);
    return undefined;
  }

  #complete(): ServerSentEvent | undefined {
    const [event, data] = [this.#event === '' ? 'message' : this.#event, this.#data];
    this.#event = '';
    this.#data = [];
    return data.length === 0 ? undefined : { event, id: this.#id, data: data.join('\n') };
  }
}
