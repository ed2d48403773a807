import type { Response } from 'express';
import type { Clock, Timer } from '../../../kernel/time.js';
import { ClientGone, type RunSink } from '../application/run.js';
import { DeltaCoalescer } from '../domain/delta-coalescer.js';
import { encodeFrame, RunFrames, type RunEventData, type RunEventType, type RunFrame } from '../domain/sse.js';

export interface EventStreamOptions {
  readonly requestId: string;
  readonly sessionId: string;
  readonly flushIntervalMs: number;
  readonly heartbeatMs: number;
  /** A client that reads nothing for this long counts as gone. */
  readonly stallMs: number;
}

/**
 * The server-sent events of one run on one connection. Frames are numbered in the order in which they are written.
 * Heartbeats come from a timer for as long as the stream lives. A slow reader holds the model back instead of filling
 * memory: `ready()` waits for it, and `gone` aborts when it leaves or stops reading.
 */
export class EventStream implements RunSink {
  readonly #frames: RunFrames;
  readonly #deltas: DeltaCoalescer;
  readonly #gone = new AbortController();
  #lastWrite: number;
  #heartbeat: Timer | undefined;

  constructor(
    private readonly response: Response,
    private readonly clock: Clock,
    private readonly options: EventStreamOptions,
  ) {
    this.#frames = new RunFrames(options.requestId, options.sessionId);
    this.#deltas = new DeltaCoalescer(clock, options.flushIntervalMs, (delta) => {
      this.#write(this.#frames.event('token.delta', { delta }));
    });
    this.#lastWrite = clock.monotonic();
    response.once('close', () => this.#leave());
    if (response.destroyed) this.#leave();
  }

  /** Aborted with ClientGone when nobody reads any more. */
  get gone(): AbortSignal {
    return this.#gone.signal;
  }

  /** Sends the headers. Nothing on the way may buffer, transform or compress what follows. */
  open(status = 200): void {
    this.response.status(status);
    this.response.setHeader('Content-Type', 'text/event-stream; charset=utf-8');
    this.response.setHeader('Cache-Control', 'no-cache, no-transform');
    this.response.setHeader('Connection', 'keep-alive');
    this.response.setHeader('X-Accel-Buffering', 'no');
    this.response.flushHeaders();
    this.response.socket?.setNoDelay(true);
    this.#scheduleHeartbeat();
  }

  send<T extends RunEventType>(type: T, data: RunEventData[T]): void {
    this.#deltas.flush();
    this.#write(this.#frames.event(type, data));
  }

  delta(text: string): void {
    if (!this.gone.aborted) this.#deltas.push(text);
  }

  async ready(): Promise<void> {
    if (!this.response.writableNeedDrain || this.gone.aborted) return;
    await new Promise<void>((resolve) => {
      const stall = this.clock.after(this.options.stallMs, () => this.#leave());
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

  /** Ends the stream after its last event. A client that stops reading the rest loses its connection. */
  close(): void {
    this.#heartbeat?.cancel();
    this.#deltas.discard();
    this.response.setTimeout(this.options.stallMs, () => this.response.destroy());
    this.response.end();
  }

  #write(frame: RunFrame): void {
    if (this.gone.aborted) return;
    this.#lastWrite = this.clock.monotonic();
    this.response.write(encodeFrame(frame));
  }

  #scheduleHeartbeat(): void {
    const due = this.#lastWrite + this.options.heartbeatMs - this.clock.monotonic();
    this.#heartbeat = this.clock.after(Math.max(due, 1), () => {
      const silent = this.clock.monotonic() - this.#lastWrite >= this.options.heartbeatMs;
      if (silent && !this.response.writableNeedDrain) this.#write(this.#frames.heartbeat(this.clock.now()));
      else if (silent) this.#lastWrite = this.clock.monotonic();
      if (!this.gone.aborted) this.#scheduleHeartbeat();
    });
  }

  #leave(): void {
    if (this.gone.aborted) return;
    this.#heartbeat?.cancel();
    this.#deltas.discard();
    this.#gone.abort(new ClientGone());
    this.response.destroy();
  }
}
