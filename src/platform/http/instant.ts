import { ValidateBy } from 'class-validator';

const INSTANT = /^(\d{4})-(\d{2})-(\d{2})T([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,6})?)?(Z|[+-](0\d|1[0-4]):[0-5]\d)$/;

/** ISO 8601 with an offset, of a day that the calendar has: an instant that the database takes as it is written. */
export function isInstant(text: unknown): text is string {
  const [, year = 0, month = 0, day = 0] = (typeof text === 'string' ? (INSTANT.exec(text) ?? []) : []).map(Number);
  if (year === 0) return false;
  const date = new Date(Date.UTC(year, month - 1, day));
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
}

/** For inputs that name a moment. Without an offset nobody knows which one is meant. */
export function IsInstant(): PropertyDecorator {
  return ValidateBy({
    name: 'isInstant',
    validator: {
      validate: isInstant,
      defaultMessage: () => '$property must be an instant with an offset, such as 2026-01-31T09:00:00Z',
    },
  });
}

/** An instant that does not lie before another input; a missing one is no fault. */
export function IsNotBefore(other: string): PropertyDecorator {
  return ValidateBy({
    name: 'isNotBefore',
    validator: {
      validate: (value, context) => {
        const bound: unknown = context === undefined ? undefined : Reflect.get(context.object, other);
        return !isInstant(value) || !isInstant(bound) || new Date(value) >= new Date(bound);
      },
      defaultMessage: () => `$property must not be before ${other}`,
    },
  });
}
