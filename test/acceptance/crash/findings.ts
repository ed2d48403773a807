/** What a schedule showed: how often things happened, and what must never happen. */
export class Findings {
  readonly broken: string[] = [];
  readonly #counts = new Map<string, number>();

  count(what: string, times = 1): void {
    if (times > 0) this.#counts.set(what, this.times(what) + times);
  }

  /** How often it happened. */
  times(what: string): number {
    return this.#counts.get(what) ?? 0;
  }

  /** Notes a broken invariant unless it holds. */
  demand(holds: boolean, invariant: string, facts: unknown = {}): void {
    if (!holds) this.broken.push(`${invariant}: ${JSON.stringify(facts)}`);
  }

  /** Demands that a query for offenders finds none. */
  none(offenders: readonly unknown[], invariant: string): void {
    this.demand(offenders.length === 0, invariant, offenders.slice(0, 5));
  }

  add(other: Findings): void {
    this.broken.push(...other.broken);
    for (const [what, times] of other.#counts) this.count(what, times);
  }

  /** Counts, one a line, in the order of their names. */
  table(): string {
    const rows = [...this.#counts].sort(([one], [other]) => (one < other ? -1 : 1));
    return rows.map(([what, times]) => `${String(times).padStart(7)}  ${what}`).join('\n');
  }
}
