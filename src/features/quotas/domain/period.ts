export type PeriodType = 'day' | 'month';

/** A calendar day or month in UTC. */
export interface Period {
  readonly type: PeriodType;
  readonly start: Date;
  /** The first instant that is no longer part of it. */
  readonly end: Date;
}

/** The period that contains the instant. */
export function periodAt(type: PeriodType, at: Date): Period {
  const [year, month, day] = [at.getUTCFullYear(), at.getUTCMonth(), at.getUTCDate()];
  return type === 'day'
    ? { type, start: utc(year, month, day), end: utc(year, month, day + 1) }
    : { type, start: utc(year, month, 1), end: utc(year, month + 1, 1) };
}

/** The days, as `YYYY-MM-DD`, that end with the one of `today`; oldest first. */
export function lastDays(count: number, today: Date): string[] {
  const [year, month, day] = [today.getUTCFullYear(), today.getUTCMonth(), today.getUTCDate()];
  return Array.from({ length: count }, (_, index) => dayOf(utc(year, month, day - count + 1 + index)));
}

export function dayOf(date: Date): string {
  return date.toISOString().slice(0, 10);
}

/** Names the period among all that a tenant has. */
export function periodId({ type, start }: Pick<Period, 'type' | 'start'>): string {
  return `${type}:${dayOf(start)}`;
}

function utc(year: number, month: number, day: number): Date {
  return new Date(Date.UTC(year, month, day));
}
