import { AppError } from '../../../kernel/errors.js';
import { dbErrors, isDatabaseFailure } from '../../../platform/db/index.js';
import { runErrors } from '../run.errors.js';

/** An error with a public text: ours as it is, a lost database as DB_ERROR, anything else as UNKNOWN_ERROR. */
export function presentable(error: unknown): AppError {
  if (!(error instanceof AppError)) return runErrors.UNKNOWN_ERROR({ cause: error });
  return error.code === 'SERVICE_UNAVAILABLE' ? dbErrors.DB_ERROR({ cause: error }) : error;
}

/**
 * Works on the database. What the database fails at without a code of its own is DB_ERROR, with the failure as its cause: the
 * failed statement carries its parameters, and those are people's words, which no log may hold.
 */
export async function stored<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof AppError || !isDatabaseFailure(error)) throw error;
    throw dbErrors.DB_ERROR({ cause: error });
  }
}
