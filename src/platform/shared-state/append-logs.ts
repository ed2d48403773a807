import type { Unsubscribe } from './shared-state.js';

export interface Batch {
  /** Number of the first entry; entries are numbered from 1 without gaps. */
  readonly first: number;
  /** None for a mere sign of life. No entry is empty. */
  readonly entries: readonly string[];
  /** Whether nothing follows. */
  readonly last: boolean;
}

export interface LogTimes {
  /** How long the log is kept after this. */
  readonly keepMs: number;
  /** How long the writer counts as alive after this. */
  readonly aliveMs: number;
}

/** A log as it was at one moment, and a stretch of its entries. */
export interface LogPart {
  /** What its writer said about the log when it began. */
  readonly label: string;
  readonly entries: readonly string[];
  /** Entries in all. */
  readonly length: number;
  /** Nothing will follow. */
  readonly ended: boolean;
  /** Whether the writer gave a sign of life lately. */
  readonly alive: boolean;
}

/**
 * Port: short-lived logs, each with one writer and many readers in any process. A log may be lost at any time, but
 * only as a whole: what can be read is what was written, from its first entry, byte for byte.
 *
 * Methods that return a promise reject with SHARED_STATE_UNAVAILABLE within about a second while the store is away,
 * unless they say otherwise.
 */
export abstract class AppendLogs {
  /**
   * Appends what is not there yet of the batch, so that one whose outcome is unknown can be sent again. The first
   * batch begins the log.
   *
   * @param label kept from the first batch. Not empty.
   * @returns false when the log has ended or lost entries before this batch; the writer should give up.
   */
  abstract append(id: string, label: string, batch: Batch, times: LogTimes): Promise<boolean>;
  /**
   * Ends a log whose writer is gone. Of many who try, one succeeds, and only while the log is exactly `length` long,
   * has not ended, and its writer shows no sign of life.
   */
  abstract finish(id: string, length: number, entries: readonly string[], keepMs: number): Promise<void>;
  /** At most `limit` entries after the entry with number `after`. Undefined when there is no such log (any more). */
  abstract read(id: string, after: number, limit: number): Promise<LogPart | undefined>;
  abstract delete(id: string): Promise<void>;
  /**
   * Calls back when entries may have been added. Never rejects. Calls can be lost, so whoever relies on them has to
   * look from time to time as well.
   */
  abstract watch(id: string, listener: () => void): Promise<Unsubscribe>;
  abstract close(): Promise<void>;
}
