import type { ValidationError } from 'class-validator';
import { commonErrors } from '../../kernel/common-errors.js';
import type { AppError } from '../../kernel/errors.js';

export interface FieldFault {
  /** Where: `body`, `query` or `path`, then the keys down to the field. */
  readonly loc: readonly string[];
  readonly msg: string;
  readonly type: string;
}

const MAX_FAULTS = 50;

/** The 422 of a request with the wrong shape. Never repeats what was sent: it may be a secret. */
export function invalidRequest(faults: readonly FieldFault[], cause?: unknown): AppError {
  return commonErrors.REQUEST_VALIDATION_ERROR({ details: { errors: faults.slice(0, MAX_FAULTS) }, cause });
}

/** Flattens class-validator's tree into one fault per violated rule. */
export function faultsOf(errors: readonly ValidationError[], loc: readonly string[]): FieldFault[] {
  return errors.flatMap((error) => {
    const here = [...loc, error.property];
    const own = Object.entries(error.constraints ?? {}).map(([type, msg]) => ({ loc: here, msg, type }));
    return [...own, ...faultsOf(error.children ?? [], here)];
  });
}
