/** Ends a subscription. Messages that are already on their way may still arrive. */
export type Unsubscribe = () => Promise<void>;

/**
 * Port: small, short-lived facts and messages that all processes share. Nothing here is the only copy of anything:
 * it may be lost at any time.
 *
 * Methods that return a promise reject with SHARED_STATE_UNAVAILABLE within about a second while the store is away,
 * unless they say otherwise.
 */
export abstract class SharedState {
  /** Whether other processes see it. */
  abstract readonly distributed: boolean;
  /** Sends to everyone who is subscribed at this moment, this process included. */
  abstract publish(channel: string, message: string): Promise<void>;
  /**
   * Resolves when messages arrive from now on. Never rejects: while the store is away the subscription waits for
   * it, and after every interruption it resumes by itself. Messages sent meanwhile are lost, so whatever relies on
   * them needs an expiry as well.
   */
  abstract subscribe(channel: string, listener: (message: string) => void): Promise<Unsubscribe>;
  /** Keeps `value` for `ttlSeconds`, replacing what is there. */
  abstract set(key: string, value: string, ttlSeconds: number): Promise<void>;
  /** Undefined when it was never set, has expired, or was lost. */
  abstract get(key: string): Promise<string | undefined>;
  abstract delete(key: string): Promise<void>;
  /**
   * Values by full key, at most 1000 of them. For small families of keys such as heartbeats: it looks through all
   * keys of the store.
   */
  abstract list(prefix: string): Promise<Record<string, string>>;
  /** Resolves when the store answers; for readiness checks. */
  abstract ping(): Promise<void>;
  abstract close(): Promise<void>;
}

/** Most entries that `list` returns. */
export const LIST_LIMIT = 1000;
