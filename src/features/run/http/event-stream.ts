import type { Clock, Timer } from '../../../kernel/time.js';
import type { EventConnection } from '../../../platform/http/index.js';
import type { FrameRecorder } from '../application/frame-recorder.js';
import type { RunSink } from '../application/run.js';
import { DeltaCoalescer } from '../domain/delta-coalescer.js';
import { encodeFrame, RunFrames, type RunEventData, type RunEventType, type RunFrame } from '../domain/sse.js';

export interface EventStreamOptions {
  /** Undefined for a stream that is no run's. */
  readonly runId: string | undefined;
  readonly requestId: string;
  readonly sessionId: string;
  readonly flushIntervalMs: number;
  readonly heartbeatMs: number;
}

/**
 * The server-sent events of one run. Frames are numbered in the order in which they are made, go to the client as long
 * as there is one, and are kept for those who resume. Heartbeats come from a timer for as long as the stream lives. A
 * slow reader holds the model back instead of filling memory: `ready()` waits for it.
 */
export class EventStream implements RunSink {
  readonly #frames: RunFrames;
  readonly #deltas: DeltaCoalescer;
  #lastFrame: number;
  #heartbeat: Timer | undefined;
  #closed = false;

  /** @param recorder keeps the frames; without it the stream cannot be resumed. */
  constructor(
    private readonly connection: EventConnection,
    private readonly recorder: FrameRecorder | undefined,
    private readonly clock: Clock,
    private readonly options: EventStreamOptions,
  ) {
    this.#frames = new RunFrames(options.requestId, options.sessionId);
    this.#deltas = new DeltaCoalescer(clock, options.flushIntervalMs, (delta) => {
      this.#emit(this.#frames.event('token.delta', { delta }));
    });
    this.#lastFrame = clock.monotonic();
  }

  /** Aborted with ClientGone when nobody reads any more. */
  get gone(): AbortSignal {
    return this.connection.gone;
  }

  open(): void {
    const { runId } = this.options;
    this.connection.open(runId === undefined ? {} : { 'X-Run-Id': runId });
    this.#scheduleHeartbeat();
  }

  send<T extends RunEventType>(type: T, data: RunEventData[T]): void {
    this.#deltas.flush();
    this.#emit(this.#frames.event(type, data));
  }

  delta(text: string): void {
    this.#deltas.push(text);
  }

  ready(): Promise<void> {
    return this.connection.ready();
  }

  /** Ends the stream after its last event. */
  close(): void {
    this.#stop();
    this.recorder?.end();
    this.connection.close();
  }

  /** For a stream that failed in a way that no event tells: who resumes it learns that it was interrupted. */
  abandon(): void {
    this.#stop();
    this.recorder?.giveUp();
  }

  #stop(): void {
    this.#closed = true;
    this.#heartbeat?.cancel();
    this.#deltas.discard();
  }

  /** To the client first: keeping a frame must not make it later. */
  #emit(frame: RunFrame): void {
    this.#lastFrame = this.clock.monotonic();
    const text = encodeFrame(frame);
    this.connection.write(text);
    this.recorder?.add(text);
  }

  #scheduleHeartbeat(): void {
    const due = this.#lastFrame + this.options.heartbeatMs - this.clock.monotonic();
    this.#heartbeat = this.clock.after(Math.max(due, 1), () => {
      const silent = this.clock.monotonic() - this.#lastFrame >= this.options.heartbeatMs;
      if (silent && !this.connection.isBehind) this.#emit(this.#frames.heartbeat(this.clock.now()));
      else if (silent) this.#lastFrame = this.clock.monotonic();
      if (!this.#closed) this.#scheduleHeartbeat();
    });
  }
}
