import type { Response } from 'express';
import type { Clock } from '../../../kernel/time.js';
import { ClientGone, type FrameReader } from '../application/run.js';

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
  open(runId?: string): void {
    if (runId !== undefined) this.response.setHeader('X-Run-Id', runId);
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
