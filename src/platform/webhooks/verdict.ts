import type { DeliveryState, WebhookAttempt } from './webhook.js';

const GONE = 410;
/** Receivers may ask for a longer wait than the schedule has, up to a day. */
const LONGEST_REQUESTED_WAIT_MS = 86_400_000;

export interface Verdict {
  readonly state: Exclude<DeliveryState, 'cancelled'>;
  /** While it stays pending: until the next attempt. */
  readonly waitMs: number;
  /** The receiver wants no more deliveries at all. */
  readonly stopsEndpoint: boolean;
}

/**
 * What becomes of a delivery after an attempt.
 *
 * @param made attempts since it was sent or replayed, this one included.
 * @param delaysMs wait after the first attempt, after the second, and so on; the last one repeats.
 */
export function judge(
  { status, error, retryAfterMs }: WebhookAttempt,
  made: number,
  { maxAttempts, delaysMs }: { readonly maxAttempts: number; readonly delaysMs: readonly number[] },
): Verdict {
  const ends = { waitMs: 0, stopsEndpoint: status === GONE };
  if (error === null) return { state: 'delivered', ...ends };
  if (status === GONE || made >= maxAttempts) return { state: 'dead', ...ends };
  const scheduled = delaysMs[Math.min(made, delaysMs.length) - 1] ?? 0;
  return { state: 'pending', waitMs: Math.max(scheduled, retryAfterMs), stopsEndpoint: false };
}

/** The wait in ms that an answer asks for with `Retry-After`, as seconds or as a date; 0 when it does not. */
export function requestedWaitMs(status: number, retryAfter: string | undefined, now: Date): number {
  if ((status !== 429 && status !== 503) || retryAfter === undefined) return 0;
  const ms = /^\d+$/.test(retryAfter) ? Number(retryAfter) * 1000 : Date.parse(retryAfter) - now.getTime();
  return Number.isNaN(ms) ? 0 : Math.min(Math.max(ms, 0), LONGEST_REQUESTED_WAIT_MS);
}
