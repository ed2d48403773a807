/** A handler's answer when it is more than a body: another status, or headers. */
export class Reply<T> {
  constructor(
    readonly data: T,
    readonly options: { readonly status?: number; readonly headers?: Readonly<Record<string, string>> } = {},
  ) {}
}
