import type { Application, NextFunction, Request, RequestHandler, Response } from 'express';
import { commonErrors } from '../../kernel/common-errors.js';
import { currentContext } from '../../kernel/context.js';
import type { Operation, Route } from '../../kernel/operation.js';
import type { HttpSettings } from './http.settings.js';
import { MULTIPART_ALLOWANCE } from './read-body.js';
import type { RouteManifest } from './route-manifest.js';

/** Served outside the manifest: the API description and its viewer. */
const DOCUMENTATION = /^\/v1\/(docs(\/.*)?|openapi\.json)$/;
const READS = ['GET', 'HEAD'];

/** What Nest made of the routes. */
export type RouteHandlers = ReadonlyMap<Route, RequestHandler>;

/** @throws Error for a route that nothing was registered for. */
export function routeHandlers(app: Application, { routes }: RouteManifest): RouteHandlers {
  const registered = new Map(
    app.router.stack.flatMap(({ route }) =>
      (route?.stack ?? []).map(({ method, handle }) => [`${method} ${route?.path}`, handle] as const),
    ),
  );
  return new Map(
    routes.map((route) => {
      const handler = registered.get(`${route.method.toLowerCase()} ${route.path}`);
      if (handler === undefined) throw new Error(`Nothing handles ${route.method} ${route.path}.`);
      return [route, handler as RequestHandler];
    }),
  );
}

/** Bytes of a body. Its handler limits one that it reads itself. */
function limitOf({ body }: Operation, { maxFileBytes, maxJsonBytes }: HttpSettings): number {
  if (body === 'binary') return Infinity;
  return body === 'multipart' ? maxFileBytes + MULTIPART_ALLOWANCE : maxJsonBytes;
}

/**
 * Stage 2, second half. Finds the operation, so that every later stage knows what it guards; answers 404, 405, and
 * 413 for a declared length over the limit before anybody is authenticated or a byte of the body is read. The handler
 * is called from here: Express would try all routes one by one, and the more there are the longer it would take.
 */
export function routeMatch(
  manifest: RouteManifest,
  handlers: () => RouteHandlers,
  settings: HttpSettings,
): RequestHandler {
  return (request: Request, response: Response, next: NextFunction) => {
    const documentation = DOCUMENTATION.test(request.path);
    if (documentation && READS.includes(request.method)) return next();
    const match = documentation ? { allow: READS } : manifest.match(request.method, request.path);
    if (match === undefined) throw commonErrors.NOT_FOUND({ message: 'No such path.' });
    if ('allow' in match) {
      if (request.method === 'OPTIONS') {
        response.setHeader('Allow', match.allow.join(', '));
        return response.status(204).end();
      }
      throw commonErrors.METHOD_NOT_ALLOWED({ headers: { Allow: match.allow.join(', ') } });
    }
    const context = currentContext();
    const { operation } = match.route;
    context.operation = operation;
    context.route = match.route.path;
    context.trail.push('route');
    if (Number(request.get('content-length') ?? 0) > limitOf(operation, settings))
      throw commonErrors.PAYLOAD_TOO_LARGE();
    request.params = match.params;
    return handlers().get(match.route)?.(request, response, next);
  };
}
