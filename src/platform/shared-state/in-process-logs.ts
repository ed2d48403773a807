import type { Clock, Timer } from '../../kernel/time.js';
import { AppendLogs, type Batch, type LogPart, type LogTimes } from './append-logs.js';
import type { Unsubscribe } from './shared-state.js';

interface Log {
  readonly label: string;
  readonly entries: string[];
  bytes: number;
  ended: boolean;
  aliveUntil: number;
  expiresAt: number;
}

/** Of an entry beside its text. */
const ENTRY_BYTES = 64;

/** For a process that is alone. Holds at most `maxBytes`: then the log that was written to longest ago is lost. */
export class InProcessLogs extends AppendLogs {
  /** The one written to longest ago first. */
  readonly #logs = new Map<string, Log>();
  readonly #listeners = new Map<string, Set<() => void>>();
  #bytes = 0;
  #sweep: Timer | undefined;

  constructor(
    private readonly clock: Clock,
    private readonly maxBytes: number,
  ) {
    super();
  }

  async append(id: string, label: string, batch: Batch, { keepMs, aliveMs }: LogTimes): Promise<boolean> {
    const log = this.#find(id) ?? { label, entries: [], bytes: 0, ended: false, aliveUntil: 0, expiresAt: 0 };
    if (log.ended || log.entries.length < batch.first - 1) return false;
    log.aliveUntil = this.clock.monotonic() + aliveMs;
    this.#add(id, log, batch.entries.slice(log.entries.length - batch.first + 1), batch.last, keepMs);
    return this.#logs.has(id);
  }

  async finish(id: string, length: number, entries: readonly string[], keepMs: number): Promise<void> {
    const log = this.#find(id);
    if (log === undefined || log.ended || log.entries.length !== length || this.#isAlive(log)) return;
    this.#add(id, log, entries, true, keepMs);
  }

  async read(id: string, after: number, limit: number): Promise<LogPart | undefined> {
    const log = this.#find(id);
    if (log === undefined) return undefined;
    const { label, ended } = log;
    const entries = log.entries.slice(after, after + limit);
    return { label, entries, length: log.entries.length, ended, alive: !ended && this.#isAlive(log) };
  }

  async delete(id: string): Promise<void> {
    this.#drop(id);
  }

  async watch(id: string, listener: () => void): Promise<Unsubscribe> {
    const own = (): void => listener();
    const listeners = this.#listeners.get(id) ?? new Set();
    this.#listeners.set(id, listeners.add(own));
    return async () => {
      listeners.delete(own);
      if (listeners.size === 0 && this.#listeners.get(id) === listeners) this.#listeners.delete(id);
    };
  }

  async close(): Promise<void> {
    this.#sweep?.cancel();
    this.#logs.clear();
    this.#listeners.clear();
    this.#bytes = 0;
  }

  /** Logs that are held, for tests and measurements. */
  get size(): number {
    return this.#logs.size;
  }

  #add(id: string, log: Log, entries: readonly string[], last: boolean, keepMs: number): void {
    const bytes = entries.reduce((sum, entry) => sum + bytesOf(entry), this.#logs.has(id) ? 0 : bytesOf(log.label));
    for (const entry of entries) log.entries.push(entry);
    log.bytes += bytes;
    this.#bytes += bytes;
    log.ended = last;
    log.expiresAt = this.clock.monotonic() + keepMs;
    this.#logs.delete(id);
    this.#logs.set(id, log);
    this.#makeRoom();
    this.#sweep ??= this.clock.after(keepMs, () => this.#dropExpired());
    if (entries.length > 0 || last) for (const listener of this.#listeners.get(id) ?? []) listener();
  }

  #makeRoom(): void {
    for (const id of this.#logs.keys()) {
      if (this.#bytes <= this.maxBytes) return;
      this.#drop(id);
    }
  }

  #find(id: string): Log | undefined {
    const log = this.#logs.get(id);
    if (log !== undefined && log.expiresAt <= this.clock.monotonic()) this.#drop(id);
    return this.#logs.get(id);
  }

  #isAlive(log: Log): boolean {
    return log.aliveUntil > this.clock.monotonic();
  }

  #drop(id: string): void {
    this.#bytes -= this.#logs.get(id)?.bytes ?? 0;
    this.#logs.delete(id);
  }

  /** What nobody asks for again must not stay either: these are people's words. */
  #dropExpired(): void {
    this.#sweep = undefined;
    for (const id of [...this.#logs.keys()]) this.#find(id);
    const next = Math.min(...[...this.#logs.values()].map(({ expiresAt }) => expiresAt));
    if (this.#logs.size === 0) return;
    this.#sweep = this.clock.after(Math.max(next - this.clock.monotonic(), 1), () => this.#dropExpired());
  }
}

/** An upper bound: a text takes one or two bytes a character. */
function bytesOf(text: string): number {
  return 2 * text.length + ENTRY_BYTES;
}
