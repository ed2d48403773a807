import { QueryFailedError, TypeORMError } from 'typeorm';
import { commonErrors } from '../../kernel/common-errors.js';
import { AppError, type ErrorOptions } from '../../kernel/errors.js';

interface DriverError {
  readonly code?: string;
  readonly constraint?: string;
  readonly message?: string;
}

function driverError(error: unknown): DriverError | undefined {
  if (error instanceof QueryFailedError) return error.driverError as DriverError;
  return typeof error === 'object' && error !== null ? error : undefined;
}

const SERIALIZATION_FAILURE = '40001';
const DEADLOCK = '40P01';

/** Whether the same transaction may succeed when it is run again. */
export function isRetriable(error: unknown): boolean {
  const code = driverError(error)?.code;
  return code === SERIALIZATION_FAILURE || code === DEADLOCK;
}

const NETWORK = new Set(['ECONNREFUSED', 'ECONNRESET', 'ENOTFOUND', 'EPIPE', 'ETIMEDOUT', 'EAI_AGAIN']);

/** Connection lost, refused, or the server is starting or stopping (SQLSTATE classes 08 and 57P). */
export function isUnavailable(error: unknown): boolean {
  const failure = driverError(error);
  if (failure === undefined || error instanceof AppError) return false;
  const { code, message = '' } = failure;
  if (code !== undefined && (NETWORK.has(code) || code.startsWith('08') || /^57P0[123]$/.test(code))) return true;
  return /connection terminated|timeout exceeded when trying to connect|client has encountered a connection error/i.test(
    message,
  );
}

/** Whether the database failed, rather than what asked it. Also of what `asDbError` returned. */
export function isDatabaseFailure(error: unknown): boolean {
  return error instanceof TypeORMError || isUnavailable(error instanceof AppError ? error.cause : error);
}

/** Turns an unreachable database into SERVICE_UNAVAILABLE and leaves every other error as it is. */
export function asDbError(error: unknown): unknown {
  return isUnavailable(error) ? commonErrors.SERVICE_UNAVAILABLE({ cause: error }) : error;
}

/** Name of the constraint that a statement violated (SQLSTATE class 23); undefined for every other error. */
export function violatedConstraint(error: unknown): string | undefined {
  const { code, constraint } = driverError(error) ?? {};
  return code?.startsWith('23') === true ? (constraint ?? code) : undefined;
}

/**
 * Runs a statement and translates a violated constraint, by its name, into the error that callers know:
 *
 *     await constraints({ uq_corpora_name: commonErrors.CONFLICT }, () => this.uow.execute(sql, values));
 */
export async function constraints<T>(
  translations: Readonly<Record<string, (options: ErrorOptions) => Error>>,
  statement: () => Promise<T>,
): Promise<T> {
  try {
    return await statement();
  } catch (error) {
    const factory = translations[driverError(error)?.constraint ?? ''];
    if (factory === undefined) throw error;
    throw factory({ cause: error });
  }
}
