import type { Response } from 'express';
import { ClientGone, type FrameReader } from '../../kernel/frame-reader.js';
import type { Clock } from '../../kernel/time.js';
import { invalidRequest } from './invalid-request.js';

/** Number of the last event that a client has. @throws REQUEST_VALIDATION_ERROR when the header is not one. */
export function lastSeen(lastEventId: string, mostDigits = 9): number {
  if (!/^\d+$/.test(lastEventId.trim()) || lastEventId.trim().length > mostDigits) {
    throw invalidRequest([{ loc: ['header', 'Last-Event-ID'], msg: 'must be the id of an event', type: 'pattern' }]);
  }
  return Number(lastEventId);
}

/** Server-sent events to one client. A slow reader is waited for; one that reads nothing for `stallMs` counts as gone. */
export class EventConnection implements FrameReader {
  readonly #gone = new AbortController();

  constructor(
    private readonly response: Response,
    private readonly clock: Clock,
    private readonly stallMs: number,
  ) {
    response.once('close', () => this.#leave());
    if (response.destroyed) this.#leave();
  }

  get gone(): AbortSignal {
    return this.#gone.signal;
  }

  /** Whether what was written last still waits for its reader. */
  get isBehind(): boolean {
    return this.response.writableNeedDrain && !this.gone.aborted;
  }

  /** Sends the headers. Nothing on the way may buffer, transform or compress what follows. */
  open(headers: Readonly<Record<string, string>> = {}): void {
    for (const [name, value] of Object.entries(headers)) this.response.setHeader(name, value);
    this.response.status(200);
    this.response.setHeader('Content-Type', 'text/event-stream; charset=utf-8');
    this.response.setHeader('Cache-Control', 'no-cache, no-transform');
    this.response.setHeader('Connection', 'keep-alive');
    this.response.setHeader('X-Accel-Buffering', 'no');
    this.response.flushHeaders();
    this.response.socket?.setNoDelay(true);
  }

  write(frame: string): void {
    if (!this.gone.aborted) this.response.write(frame);
  }

  async ready(): Promise<void> {
    if (!this.isBehind) return;
    await new Promise<void>((resolve) => {
      const stall = this.clock.after(this.stallMs, () => this.#leave());
      const proceed = (): void => {
        stall.cancel();
        this.response.off('drain', proceed);
        this.gone.removeEventListener('abort', proceed);
        resolve();
      };
      this.response.once('drain', proceed);
      this.gone.addEventListener('abort', proceed, { once: true });
    });
  }

  /** Ends the stream. A client that stops reading the rest loses its connection. */
  close(): void {
    this.response.setTimeout(this.stallMs, () => this.response.destroy());
    this.response.end();
  }

  #leave(): void {
    if (this.gone.aborted) return;
    this.#gone.abort(new ClientGone());
    this.response.destroy();
  }
}
