/** Collects the parameters of one statement that is put together from parts. */
export class SqlParameters {
  readonly values: unknown[] = [];

  /** Its place in the statement, such as `$3`. */
  add(value: unknown): string {
    this.values.push(value);
    return `$${this.values.length}`;
  }
}
