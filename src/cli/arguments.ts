import type { z } from 'zod';

/** What a command line needs to know of a command to parse its arguments and to explain them. */
export interface CommandUsage {
  /** Words as typed, for example `keys create`. */
  readonly name: string;
  readonly summary: string;
  /** Arguments given by position, in order; all others are options. */
  readonly positional: readonly string[];
  readonly args: z.ZodObject;
}

/** `expiresInDays` as it is typed: `expires-in-days`. */
export function optionName(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** `keyId` as a place in the usage line: `key_id`. */
export function placeName(key: string): string {
  return optionName(key).replaceAll('-', '_');
}

/** What does not fit, with the names as they are typed. */
export function argumentFaults(error: z.ZodError, positional: readonly string[]): string {
  return error.issues
    .map(({ path, message }) => {
      const key = String(path[0] ?? '');
      if (key === '') return message;
      return positional.includes(key) ? `<${placeName(key)}> ${message}` : `--${optionName(key)} ${message}`;
    })
    .join('; ');
}
