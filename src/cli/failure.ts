import { isAppError } from '../kernel/errors.js';
import { startFault } from '../app/start-fault.js';

export const EXIT = { ok: 0, failure: 1, usage: 2 } as const;

/** Why a command ended without a result, as the operator sees it: `CODE: message` and an exit code. */
export class CommandFailure extends Error {
  constructor(
    readonly code: string,
    message: string,
    readonly exitCode: number = EXIT.failure,
    cause?: unknown,
  ) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'CommandFailure';
  }
}

/** Any error as a failure. Requests that can never succeed as they are count as usage errors. */
export function asFailure(error: unknown): CommandFailure {
  if (error instanceof CommandFailure) return error;
  if (isAppError(error)) {
    const usage = error.status === 400 || error.status === 422;
    return new CommandFailure(error.code, error.message, usage ? EXIT.usage : EXIT.failure, error);
  }
  const fault = startFault(error);
  if (fault !== undefined) {
    const usage = fault.code === 'SETTINGS_INVALID' || fault.code === 'MIGRATIONS_PENDING';
    return new CommandFailure(fault.code, fault.message, usage ? EXIT.usage : EXIT.failure, error);
  }
  return new CommandFailure(
    'INTERNAL_ERROR',
    error instanceof Error ? error.message : String(error),
    EXIT.failure,
    error,
  );
}
