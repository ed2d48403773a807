export const DAY_MS = 86_400_000;
const DATE = /^\d{4}-\d\d-\d\d$/;
const TIME = /^\d\d:\d\d(?::\d\d)?$/;
const DATE_TIME = /^(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d(?::\d\d)?)(?:\.(\d+))?(?:[Zz]|([+-]\d\d)(?::?(\d\d))?)?$/;

/** A point in time, to the millisecond. What lies between milliseconds counts for the one before. */
export interface Moment {
  /** Milliseconds since midnight on the clock of whoever wrote it; undefined for a mere date. */
  readonly timeOfDay: number | undefined;
  /** Milliseconds since 1970 in UTC, also where no offset is given; undefined for a mere time of day. */
  readonly instant: number | undefined;
}

/** Many policies ask about one moment, that of the request. */
let lastParsed: { readonly text: string; readonly moment: Moment | undefined } = { text: '', moment: undefined };

/** `HH:MM`, `HH:MM:SS`, an ISO 8601 date, or both with `T` or a blank between. Undefined for anything else. */
export function parseMoment(text: string): Moment | undefined {
  if (lastParsed.text !== text) lastParsed = { text, moment: parse(text) };
  return lastParsed.moment;
}

function parse(text: string): Moment | undefined {
  if (TIME.test(text)) return moment(clockTime(text), undefined);
  if (DATE.test(text)) return moment(undefined, startOf(text));
  const [, date, time, fraction = '', hours = '+00', minutes = '00'] = DATE_TIME.exec(text) ?? [];
  if (date === undefined || time === undefined) return undefined;
  const offset = clockTime(`${hours.slice(1)}:${minutes}`) ?? Number.NaN;
  const timeOfDay = (clockTime(time) ?? Number.NaN) + Number(fraction.slice(0, 3).padEnd(3, '0'));
  const instant = (startOf(date) ?? Number.NaN) + timeOfDay - (hours.startsWith('-') ? -offset : offset);
  return Number.isNaN(instant) ? undefined : { timeOfDay, instant };
}

function moment(timeOfDay: number | undefined, instant: number | undefined): Moment | undefined {
  return timeOfDay === undefined && instant === undefined ? undefined : { timeOfDay, instant };
}

/** Midnight in UTC of a day that the calendar has. The parser itself takes February 30 for March 2. */
function startOf(date: string): number | undefined {
  const day = Date.parse(date);
  return Number.isNaN(day) || !new Date(day).toISOString().startsWith(date) ? undefined : day;
}

function clockTime(text: string): number | undefined {
  const [hours = 0, minutes = 0, seconds = 0] = text.split(':').map(Number);
  if (hours > 23 || minutes > 59 || seconds > 59) return undefined;
  return ((hours * 60 + minutes) * 60 + seconds) * 1000;
}

/** What the clocks of a time zone show. */
export class ZoneClock {
  /** By name in lower case; no more than there are time zones. Making one takes a millisecond. */
  static readonly #known = new Map<string, ZoneClock>();
  #last = { instant: Number.NaN, timeOfDay: Number.NaN };

  private constructor(private readonly format: Intl.DateTimeFormat) {}

  /** Undefined when there is no zone with this IANA name. */
  static of(zone: string): ZoneClock | undefined {
    const name = zone.toLowerCase();
    const known = ZoneClock.#known.get(name);
    if (known !== undefined || !/^[a-z]/.test(name)) return known;
    try {
      const timeStyle = { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' } as const;
      const clock = new ZoneClock(new Intl.DateTimeFormat('en-GB', { ...timeStyle, timeZone: zone }));
      ZoneClock.#known.set(name, clock);
      return clock;
    } catch {
      return undefined;
    }
  }

  /** Milliseconds since midnight. Many policies ask about one instant: the last answer is kept. */
  timeOfDay(instant: number): number {
    if (this.#last.instant !== instant) {
      const shown = clockTime(this.format.format(instant)) ?? Number.NaN;
      this.#last = { instant, timeOfDay: shown + (((instant % 1000) + 1000) % 1000) };
    }
    return this.#last.timeOfDay;
  }
}
