/**
 * Every failure that a caller can see is declared once, beside the code that raises it:
 *
 *     export const corporaErrors = defineErrors('corpora', {
 *       CORPUS_IN_USE: { status: 409, message: 'The corpus still has documents.', retry: 'after-change' },
 *     });
 *     throw corporaErrors.CORPUS_IN_USE({ details: { documents: 3 } });
 *
 * `app/catalogue.ts` collects the declarations; the error filter, OpenAPI and docs/generated/errors.md are made
 * from that collection.
 */

/** Whether repeating the same request can help: never, after a wait, or after the caller changed something. */
export type RetryHint = 'never' | 'later' | 'after-change';

export interface ErrorSpec {
  /** HTTP status. Errors that only occur inside a stream carry the status they have with `stream:false`. */
  readonly status: number;
  /** Further statuses, for a code that stops a change with one and a use with another. */
  readonly alternatives?: readonly number[];
  /** Public text. Says what happened and, where possible, what to do next. Never contains data. */
  readonly message: string;
  readonly retry: RetryHint;
  /** `Retry-After` in seconds, for errors whose wait is known. */
  readonly retryAfterSeconds?: number;
}

export interface ErrorOptions {
  /** One of the declared alternatives. */
  readonly status?: number;
  /** Replaces the declared public text; for validators that name the offending parameter. */
  readonly message?: string;
  /** Public, structured. Appears as `error.details`. */
  readonly details?: Record<string, unknown>;
  /** Response headers that belong to this failure, such as `Retry-After`. */
  readonly headers?: Record<string, string>;
  /** For the log only. */
  readonly cause?: unknown;
}

export class AppError extends Error {
  readonly status: number;
  readonly details: Record<string, unknown> | undefined;
  readonly headers: Record<string, string>;

  constructor(
    readonly code: string,
    readonly spec: ErrorSpec,
    options: ErrorOptions = {},
  ) {
    super(options.message ?? spec.message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'AppError';
    this.status = options.status ?? spec.status;
    this.details = options.details;
    this.headers = {
      ...(spec.retryAfterSeconds === undefined ? {} : { 'Retry-After': String(spec.retryAfterSeconds) }),
      ...options.headers,
    };
  }
}

export type ErrorFactory = (options?: ErrorOptions) => AppError;

export interface ErrorDeclaration {
  readonly owner: string;
  readonly specs: Readonly<Record<string, ErrorSpec>>;
}

const declarations = new WeakMap<object, ErrorDeclaration>();

export type ErrorSet<Code extends string = string> = { readonly [K in Code]: ErrorFactory };

export function defineErrors<const T extends Record<string, ErrorSpec>>(
  owner: string,
  specs: T,
): ErrorSet<Extract<keyof T, string>> {
  const set = Object.fromEntries(
    Object.entries(specs).map(([code, spec]) => [
      code,
      (options?: ErrorOptions): AppError => new AppError(code, spec, options),
    ]),
  ) as ErrorSet<Extract<keyof T, string>>;
  declarations.set(set, { owner, specs });
  return set;
}

/** The declaration behind a set made by `defineErrors`; used by the catalogue. */
export function errorDeclaration(set: ErrorSet): ErrorDeclaration {
  const declaration = declarations.get(set);
  if (declaration === undefined) throw new Error('Not a set made by defineErrors.');
  return declaration;
}

export function isAppError(error: unknown, code?: string): error is AppError {
  return error instanceof AppError && (code === undefined || error.code === code);
}
