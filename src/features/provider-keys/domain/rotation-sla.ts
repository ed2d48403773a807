const HOUR_MS = 3_600_000;

export type SlaEvent = 'rotation_sla_breached' | 'rotation_sla_warning';

/** Undefined while the deadline is further away than the warning. */
export function slaEventOf(dueAt: Date, now: Date, warningHours: number): SlaEvent | undefined {
  if (dueAt <= now) return 'rotation_sla_breached';
  return dueAt.getTime() <= now.getTime() + warningHours * HOUR_MS ? 'rotation_sla_warning' : undefined;
}

/** The stretch of time in which an event is written once. */
export function bucketOf(now: Date, dedupeHours: number): string {
  return String(Math.floor(now.getTime() / (dedupeHours * HOUR_MS)));
}
