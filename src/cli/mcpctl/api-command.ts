import { z } from 'zod';
import type { Clock } from '../../kernel/time.js';
import type { ApiAnswer, ApiClient } from '../../platform/api-client/index.js';
import { argumentFaults, type CommandUsage } from '../arguments.js';
import { LocalFault } from './local-fault.js';
import type { Columns } from './table.js';

/** What a command may use. */
export interface ApiContext {
  readonly api: ApiClient;
  readonly clock: Clock;
  /** Says something beside the result. */
  readonly note: (text: string) => void;
}

interface ApiCommandSpec<A extends z.ZodObject> {
  /** Words as typed, for example `keys register`. */
  readonly name: string;
  readonly summary: string;
  readonly positional?: readonly (keyof A['shape'] & string)[];
  readonly args: A;
  readonly columns: Columns;
  /** One answer, or answers as they come. */
  run(context: ApiContext, args: z.output<A>): Promise<ApiAnswer> | AsyncIterable<unknown>;
  /** What a reader should know besides, such as that there are warnings. */
  remark?(data: unknown): string | undefined;
  /** Whether the answer is what a script may go on with; when it is not, the exit code is 1. */
  isGood?(data: unknown): boolean;
}

/** A command that is a call of the API. */
export interface ApiCommand extends CommandUsage {
  readonly columns: Columns;
  /** @throws UsageFault for arguments that do not fit. */
  run(context: ApiContext, args: unknown): Promise<ApiAnswer> | AsyncIterable<unknown>;
  remark(data: unknown): string | undefined;
  isGood(data: unknown): boolean;
}

export class UsageFault extends Error {
  override readonly name = 'UsageFault';
}

export function defineApiCommand<A extends z.ZodObject>(spec: ApiCommandSpec<A>): ApiCommand {
  const positional = spec.positional ?? [];
  return {
    name: spec.name,
    summary: spec.summary,
    positional,
    args: spec.args,
    columns: spec.columns,
    run: (context, args) => {
      const parsed = spec.args.safeParse(args);
      if (!parsed.success) throw new UsageFault(argumentFaults(parsed.error, positional));
      return spec.run(context, parsed.data);
    },
    remark: (data) => spec.remark?.(data),
    isGood: (data) => spec.isGood?.(data) ?? true,
  };
}

/** An id, whatever its form: the API knows. What a URL takes for a step upwards is none. */
export function id(what: string): z.ZodString {
  return z
    .string()
    .regex(/^(?!\.{1,2}$)\S+$/, 'is not an id')
    .describe(what);
}

export function optional(what: string): z.ZodOptional<z.ZodString> {
  return z.string().optional().describe(what);
}

export function wholeNumber(what: string, most: number, least = 1): z.ZodOptional<z.ZodCoercedNumber> {
  return z.coerce
    .number('must be a number')
    .int('must be a whole number')
    .min(least, `must be at least ${least}`)
    .max(most, `must be at most ${most}`)
    .optional()
    .describe(what);
}

/** Text, or undefined when it says nothing. */
export function saying(text: string | undefined): string | undefined {
  return text === undefined || text.trim() === '' ? undefined : text;
}

/** @throws LocalFault */
export function jsonOption(option: string, text: string | undefined): unknown {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new LocalFault(`Invalid JSON payload for ${option}: ${(error as Error).message}`, { cause: error });
  }
}

/** @throws LocalFault */
export function jsonObjectOption(option: string, text: string | undefined): Record<string, unknown> | undefined {
  const value = jsonOption(option, text);
  if (value === undefined) return undefined;
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new LocalFault(`Invalid JSON payload for ${option}: it must be an object`);
}
