import type { Request, RequestHandler, Response } from 'express';
import type { Logger } from 'pino';
import { pinoHttp } from 'pino-http';
import { contextOf } from './request-context.js';

/** Probes answer many times a minute and say nothing; they are logged only when they fail. */
const QUIET = /^\/(v1\/)?(health|healthz|readyz)$/;

/** One structured line a request, written when the response is finished or the client has gone. No payloads. */
export function accessLog(logger: Logger): RequestHandler {
  return pinoHttp<Request, Response>({
    logger,
    wrapSerializers: false,
    customAttributeKeys: { responseTime: 'duration_ms' },
    serializers: {
      req: (request: Request) => ({ method: request.method, path: request.path }),
      res: (response: Response) => ({ status: response.statusCode }),
      err: (error: Error) => ({ type: error.name, message: error.message }),
    },
    customLogLevel: (request, response, error) => {
      if (response.statusCode >= 500) return 'error';
      if (error === undefined && QUIET.test(request.path)) return 'debug';
      return 'info';
    },
    customSuccessMessage: () => 'request',
    customErrorMessage: () => 'request',
    // Not customProps: pino-http would write those twice, as they are at the start and at the end.
    customSuccessObject: (request, response, line: object) => ({ ...line, ...factsOf(request, response) }),
    customErrorObject: (request, response, _error, line: object) => ({ ...line, ...factsOf(request, response) }),
  });
}

function factsOf(request: Request, response: Response): object {
  const context = contextOf(request);
  return {
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
