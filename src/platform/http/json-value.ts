import { ValidateBy } from 'class-validator';

const KIB = 1024;

/** A JSON value of at most so many KiB as UTF-8; with `object`, an object. */
export function IsJson(maxKib: number, kind: 'object' | 'value' = 'value'): PropertyDecorator {
  const what = kind === 'object' ? 'a JSON object' : 'JSON';
  return ValidateBy({
    name: 'isJson',
    validator: {
      validate: (value: unknown) => {
        if (kind === 'object' && (typeof value !== 'object' || value === null || Array.isArray(value))) return false;
        return Buffer.byteLength(JSON.stringify(value)) <= maxKib * KIB;
      },
      defaultMessage: (args) => `${args?.property ?? ''} must be ${what} of at most ${maxKib} KiB`,
    },
  });
}
