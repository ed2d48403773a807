/** What a request with an `Idempotency-Key` holds while it is worked on, so that its effect happens once. */
export interface Reservation {
  /**
   * To be told in each transaction that makes a change.
   *
   * @throws IDEMPOTENCY_IN_PROGRESS when another request has taken the key over: the change must not be committed.
   */
  changing(): Promise<void>;
  /** Keeps the answer for repetitions. Never throws: the effect has happened. */
  complete(answer: StoredAnswer): Promise<void>;
  /** Before a failure is answered, so that a repetition tries again. Never throws; without effect once completed. */
  release(): Promise<void>;
}

/** An answer as it was sent, to be sent again. */
export interface StoredAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  /** Null when there was none. */
  readonly body: string | null;
}
