export type PeriodType = 'day' | 'month';

/** A calendar day or month in UTC. */
export interface Period {
  readonly type: PeriodType;
  /** Names it among all that a tenant has, such as `day:2026-02-17`. */
  readonly id: string;
  readonly start: Date;
  /** The first instant that is no longer part of it. */
  readonly end: Date;
}

/** The period that contains the instant. */
export function periodAt(type: PeriodType, at: Date): Period {
  const [year, month, day] = [at.getUTCFullYear(), at.getUTCMonth(), at.getUTCDate()];
  return type === 'day'
    ? period(type, utc(year, month, day), utc(year, month, day + 1))
    : period(type, utc(year, month, 1), utc(year, month + 1, 1));
}

/** The day and the month that contain the instant; `known` itself when it does. */
export function periodsAt(
  at: Date,
  known?: readonly [day: Period, month: Period],
): readonly [day: Period, month: Period] {
  const holds = known !== undefined && at >= known[0].start && at < known[0].end;
  return holds ? known : [periodAt('day', at), periodAt('month', at)];
}

/** The days, as `YYYY-MM-DD`, that end with the one of `today`; oldest first. */
export function lastDays(count: number, today: Date): string[] {
  const [year, month, day] = [today.getUTCFullYear(), today.getUTCMonth(), today.getUTCDate()];
  return Array.from({ length: count }, (_, index) => dayOf(utc(year, month, day - count + 1 + index)));
}

export function dayOf(date: Date): string {
  return date.toISOString().slice(0, 10);
}

function period(type: PeriodType, start: Date, end: Date): Period {
  return { type, id: `${type}:${dayOf(start)}`, start, end };
}

function utc(year: number, month: number, day: number): Date {
  return new Date(Date.UTC(year, month, day));
}
