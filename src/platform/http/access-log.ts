import type { Request, RequestHandler, Response } from 'express';
import type { Logger } from 'pino';
import type { Clock } from '../../kernel/time.js';
import { contextOf, requestTimes } from './request-context.js';

/** Probes answer many times a minute and say nothing; they are logged only when they fail. */
const QUIET = /^\/(v1\/)?(health|healthz|readyz)$/;

/** One structured line a request, written when the response is finished or the client has gone. No payloads. */
export function accessLog(logger: Logger, clock: Clock): RequestHandler {
  // Every field is chosen here, so there is nothing to search for credentials, which would cost a twentieth of a request.
  const log = logger.child({}, { redact: [] });
  return (request: Request, response: Response, next) => {
    // The path as it was asked for; an alias is rewritten on the way.
    const { method, path } = request;
    response.once('close', () => {
      const duration = Math.round(clock.monotonic() - requestTimes(request).arrived);
      log[levelOf(path, response)]({ req: { method, path }, ...factsOf(request, response, duration) }, 'request');
    });
    next();
  };
}

function levelOf(path: string, { statusCode }: Response): 'debug' | 'info' | 'error' {
  if (statusCode >= 500) return 'error';
  return QUIET.test(path) ? 'debug' : 'info';
}

function factsOf(request: Request, response: Response, duration: number): object {
  const context = contextOf(request);
  return {
    res: { status: response.statusCode },
    duration_ms: duration,
    request_id: context?.requestId,
    operation: context?.operation?.id,
    tenant_id: context?.tenantId,
    actor: context?.principal?.apiKeyId,
    code: context?.errorCode,
    stages: context?.trail,
    traceparent: context?.traceparent,
    ...(response.writableFinished ? {} : { aborted: true }),
  };
}
