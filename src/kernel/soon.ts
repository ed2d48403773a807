/** A value, or a promise of it: what is mostly known already is handed on at once, since promises cost a request dearly. */
export type Soon<T> = T | Promise<T>;

/** Goes on with the value: at once when it is there. */
export function whenKnown<T, U>(value: Soon<T>, next: (value: T) => Soon<U>): Soon<U> {
  return value instanceof Promise ? value.then(next) : next(value);
}
