import { isIP } from 'node:net';
import type { NextFunction, Request, RequestHandler, Response } from 'express';
import onHeaders from 'on-headers';
import { runInContext, type Context } from '../../kernel/context.js';
import type { Ids } from '../../kernel/ids.js';
import type { Clock } from '../../kernel/time.js';
import { apiVersionOf } from './legacy-routes.js';

const REQUEST_ID = /^[A-Za-z0-9._:-]{1,128}$/;
const TRACEPARENT = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;

/** Milliseconds at which the request arrived and its handler started, on the monotonic clock. */
export interface RequestTimes {
  readonly arrived: number;
  handlerStarted?: number;
}

const times = new WeakMap<Request, RequestTimes>();
const contexts = new WeakMap<Request, Context>();

export function requestTimes(request: Request): RequestTimes {
  return times.get(request) ?? { arrived: 0 };
}

/** The context of a request, for code that runs outside it: response listeners and the access log. */
export function contextOf(request: Request): Context | undefined {
  return contexts.get(request);
}

/**
 * Stage 1. Opens the context before the body parser, so that even a request that cannot be read has an id, and
 * answers `X-Request-Id` and `Server-Timing` on every response. An id that does not look like one is replaced, and an
 * address that is none (a proxy passes on what it was told) is left out: they would end up in logs and indexes.
 */
export function requestContext(clock: Clock, ids: Ids): RequestHandler {
  return (request: Request, response: Response, next: NextFunction) => {
    const given = request.get('x-request-id');
    const traceparent = request.get('traceparent');
    const userAgent = request.get('user-agent')?.slice(0, 512);
    const context: Context = {
      requestId: given !== undefined && REQUEST_ID.test(given) ? given : ids.uuid(),
      apiVersion: apiVersionOf(request.path),
      trail: ['context'],
      method: request.method,
      path: request.path,
      ...(traceparent !== undefined && TRACEPARENT.test(traceparent) ? { traceparent } : {}),
      ...(request.ip === undefined || isIP(request.ip) === 0 ? {} : { ipAddress: request.ip }),
      ...(userAgent === undefined ? {} : { userAgent }),
    };
    const started: RequestTimes = { arrived: clock.monotonic() };
    times.set(request, started);
    contexts.set(request, context);
    response.setHeader('X-Request-Id', context.requestId);
    onHeaders(response, () => {
      context.beforeHeaders?.();
      const total = clock.monotonic() - started.arrived;
      const pipeline = (started.handlerStarted ?? clock.monotonic()) - started.arrived;
      response.setHeader('Server-Timing', `pipeline;dur=${pipeline.toFixed(2)}, total;dur=${total.toFixed(2)}`);
    });
    runInContext(context, next);
  };
}
