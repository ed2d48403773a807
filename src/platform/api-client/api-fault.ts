import { z } from 'zod';

/** The API answered, and refused. */
export class ApiRefusal extends Error {
  override readonly name = 'ApiRefusal';
  constructor(
    readonly status: number,
    /** Undefined where something in between answered, such as a proxy. */
    readonly code: string | undefined,
    message: string,
    readonly details?: Readonly<Record<string, unknown>>,
    readonly requestId?: string,
  ) {
    super(message);
  }
}

/** No answer came, or none that can be understood. */
export class ApiUnreachable extends Error {
  override readonly name = 'ApiUnreachable';
}

const envelope = z.object({
  error: z.object({
    code: z.string(),
    message: z.string(),
    details: z.record(z.string(), z.unknown()).optional(),
  }),
  meta: z.object({ request_id: z.string().optional() }).optional(),
});
const fieldFaults = z.array(z.object({ loc: z.array(z.string()), msg: z.string() })).min(1);

const MOST_TEXT = 500;

/** What a body with a status above 299 says: our envelope, or else its plain text. */
export function refusalOf(status: number, contentType: string, text: string): ApiRefusal {
  const parsed = envelope.safeParse(jsonOf(text));
  if (!parsed.success) {
    const plain = contentType.includes('html') ? '' : text.trim().slice(0, MOST_TEXT);
    return new ApiRefusal(status, undefined, plain === '' ? `The server answered ${status}.` : plain);
  }
  const { error, meta } = parsed.data;
  const { errors, ...details } = error.details ?? {};
  const faults = fieldFaults.safeParse(errors);
  const message = faults.success
    ? `${error.message} ${faults.data.map(({ loc, msg }) => `${loc.join('.')}: ${msg}`).join('; ')}`
    : error.message;
  const known = faults.success ? details : (error.details ?? {});
  return new ApiRefusal(
    status,
    error.code,
    message,
    Object.keys(known).length === 0 ? undefined : known,
    meta?.request_id,
  );
}

const fetchFault = z.object({
  name: z.literal('TypeError'),
  cause: z.object({ code: z.string().optional(), message: z.string() }),
});

/** Why fetch has no connection, or no longer one. Undefined for any other error. */
export function connectionFault(error: unknown): string | undefined {
  const parsed = fetchFault.safeParse(error);
  return parsed.success ? (parsed.data.cause.code ?? parsed.data.cause.message) : undefined;
}

export function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
