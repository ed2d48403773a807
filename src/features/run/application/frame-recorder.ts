import { Bell } from '../../../kernel/bell.js';
import type { Clock } from '../../../kernel/time.js';
import type { AppendLogs } from '../../../platform/shared-state/index.js';

/** Frames of a run that come within this time are written together. */
const BATCH_MS = 50;
/** A run whose frames take more cannot be resumed. */
export const MOST_KEPT_BYTES = 4 * 1024 * 1024;
/** A run that gave no sign of life for this long has lost its process. */
const ALIVE_MS = 10_000;
const SIGN_OF_LIFE_MS = 3000;
const RETRY_MS = 500;
/** How long the frames of a run that has ended are offered to a store that is away. */
const INSIST_MS = 10_000;

/**
 * Keeps the frames of one run in a log while they are sent; `end` or `giveUp` finishes it. Whoever adds a frame never waits: frames are buffered and
 * written in batches, the first at once. When the store is away for long, or the frames become too many, the run just
 * cannot be resumed.
 */
export class FrameRecorder {
  /** Resolves when there is nothing left to write, or it has been given up. Never rejects. */
  settled: Promise<void> = Promise.resolve();
  readonly #news: Bell;
  readonly #end: Bell;
  #pending: string[] = [];
  #written = 0;
  #bytes = 0;
  #state: 'new' | 'open' | 'ended' | 'given up' = 'new';
  #insistUntil = Infinity;

  constructor(
    private readonly logs: AppendLogs,
    private readonly clock: Clock,
    private readonly id: string,
    private readonly label: string,
    private readonly keepMs: number,
    /** Called once, after the last write. */
    private readonly over: () => void,
  ) {
    this.#news = new Bell(clock);
    this.#end = new Bell(clock);
  }

  add(frame: string): void {
    if (this.#isOver()) return;
    this.#bytes += Buffer.byteLength(frame);
    if (this.#bytes > MOST_KEPT_BYTES) return this.#forget();
    this.#pending.push(frame);
    if (this.#state === 'open') return this.#news.ring();
    this.#state = 'open';
    this.settled = this.#write().finally(this.over);
  }

  /** Call it after the last frame. */
  end(): void {
    if (this.#state === 'new') return this.giveUp();
    if (this.#isOver()) return;
    this.#state = 'ended';
    this.#insistUntil = Math.min(this.#insistUntil, this.clock.monotonic() + INSIST_MS);
    this.#wake();
  }

  /** Leaves the log without its end, as a process does that dies. */
  giveUp(): void {
    if (this.#state === 'new') this.over();
    this.#state = 'given up';
    this.#pending = [];
    this.#wake();
  }

  /** Stops insisting: what the store does not take now is lost. */
  hurry(): void {
    if (this.#state !== 'ended') return this.giveUp();
    this.#insistUntil = 0;
    this.#wake();
  }

  async #write(): Promise<void> {
    for (;;) {
      const last = this.#state === 'ended';
      const written = await this.#append(this.#pending.slice(), last);
      if (this.#state === 'given up' || (written && last)) return;
      if (!written) {
        if (this.clock.monotonic() >= this.#insistUntil) return this.giveUp();
        await this.#end.wait(RETRY_MS);
      } else if (!this.#isOver()) {
        if (this.#pending.length === 0) await this.#news.wait(SIGN_OF_LIFE_MS);
        await this.#end.wait(BATCH_MS);
      }
    }
  }

  /** @returns whether the store took the batch. */
  async #append(entries: readonly string[], last: boolean): Promise<boolean> {
    const batch = { first: this.#written + 1, entries, last };
    const keepMs = last ? this.keepMs : Math.max(this.keepMs, ALIVE_MS);
    try {
      const kept = await this.logs.append(this.id, this.label, batch, { keepMs, aliveMs: ALIVE_MS });
      if (!kept) this.giveUp();
    } catch {
      // The connection logs that Redis is away, once.
      return false;
    }
    this.#written += entries.length;
    this.#pending.splice(0, entries.length);
    return true;
  }

  /** Half a log would be taken for the whole. */
  #forget(): void {
    this.giveUp();
    this.logs.delete(this.id).catch(() => undefined);
  }

  #isOver(): boolean {
    return this.#state === 'ended' || this.#state === 'given up';
  }

  #wake(): void {
    this.#news.ring();
    this.#end.ring();
  }
}
