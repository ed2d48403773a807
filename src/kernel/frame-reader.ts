/** One client on one connection. */
export interface FrameReader {
  /** Aborted with ClientGone when nobody reads any more. */
  readonly gone: AbortSignal;
  /** Goes nowhere when the client has gone. */
  write(frame: string): void;
  /** Resolves when more may be written: at once, or when a slow reader has caught up or gone. */
  ready(): Promise<void>;
}

/** The client closed the connection, or stopped reading. */
export class ClientGone extends Error {
  constructor() {
    super('The client has gone.');
    this.name = 'ClientGone';
  }
}
