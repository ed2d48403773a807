/**
 * SQLSTATE classes whose text names tables, columns and resources, never values: connection, rollback, syntax and
 * names, resources, limits, state, operator, system, internal.
 */
const SPEAKS_OF_THE_SCHEMA = /^(08|40|42|53|54|55|57|58|XX)/;

/** Deeper chains say nothing new. */
const MAX_CAUSES = 5;

interface LoggedError {
  readonly type: string;
  readonly message: string;
  readonly code?: string;
  readonly constraint?: string;
  readonly stack?: string;
  readonly cause?: LoggedError;
}

/**
 * An error as the log may hold it: its kind, text, place and causes. What a database says about a failed statement,
 * and the statement's parameters, can hold anybody's words or secrets; of those only the SQLSTATE, the name of the
 * constraint and texts about the schema are kept.
 */
export function errorForLog(error: unknown, depth = 0): LoggedError {
  if (typeof error !== 'object' || error === null) return { type: typeof error, message: String(error) };
  const { name, stack, cause } = error as Record<string, unknown>;
  return {
    type: typeof name === 'string' ? name : 'Error',
    ...textOf(error as Record<string, unknown>),
    ...(typeof stack === 'string' ? { stack: framesOf(stack) } : {}),
    ...(cause === undefined || depth >= MAX_CAUSES ? {} : { cause: errorForLog(cause, depth + 1) }),
  };
}

function textOf(error: Record<string, unknown>): Pick<LoggedError, 'message' | 'code' | 'constraint'> {
  const statement = (error['driverError'] ?? error) as Record<string, unknown>;
  const { code, constraint } = statement;
  const failed = statement !== error || isSqlState(code);
  return {
    message: failed && !SPEAKS_OF_THE_SCHEMA.test(String(code)) ? 'a statement failed' : String(error['message']),
    ...(typeof code === 'string' ? { code } : {}),
    ...(typeof constraint === 'string' ? { constraint } : {}),
  };
}

function isSqlState(code: unknown): boolean {
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) && /\d/.test(code);
}

/** The places without the text before them, which repeats the message. */
function framesOf(stack: string): string {
  const first = stack.search(/^\s+at /m);
  return first === -1 ? '' : stack.slice(first).trim();
}
