interface ReplyOptions {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** For a page whose items are not the whole of its data; null on the last page. */
  readonly nextCursor?: string | null;
}

/** A handler's answer when it is more than a body: another status, or headers. */
export class Reply<T> {
  constructor(
    readonly data: T,
    readonly options: ReplyOptions = {},
  ) {}
}
