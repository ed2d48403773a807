import type { NextFunction, Request, RequestHandler, Response } from 'express';
import { commonErrors } from '../../kernel/common-errors.js';
import type { HttpSettings } from './http.settings.js';

/** Unversioned paths that are not aliases of a v1 route. */
const EXEMPT = [
  /^\/$/,
  /^\/v1(\/|$)/,
  /^\/docs(\/|$)/,
  /^\/openapi\.json$/,
  /^\/redoc(\/|$)/,
  /^\/api\/(stats|heartbeat|benchmark-latest)$/,
];

/** Areas that exist only under /v1. */
const VERSIONED_ONLY = [/^\/ui(\/|$)/];

const REDIRECTS: Readonly<Record<string, string>> = { '/docs': '/v1/docs', '/openapi.json': '/v1/openapi.json' };

export function isLegacy(path: string): boolean {
  return !EXEMPT.some((pattern) => pattern.test(path));
}

/**
 * Stage 2, first half. Every v1 route also answers without its prefix, in the shapes from before v1. The path is
 * rewritten before routing, so an alias is the route itself and cannot drift from it.
 */
export function legacyRoutes(settings: HttpSettings): RequestHandler {
  const sunset = settings.legacySunsetAt.toUTCString();
  return (request: Request, response: Response, next: NextFunction) => {
    const target = REDIRECTS[request.path];
    if (target !== undefined) return response.redirect(307, target);
    if (!isLegacy(request.path)) return next();
    response.setHeader('Deprecation', 'true');
    response.setHeader('Sunset', sunset);
    response.setHeader('Link', '</v1/docs>; rel="successor-version"');
    if (!settings.legacyRoutesEnabled) throw commonErrors.GONE();
    if (!VERSIONED_ONLY.some((pattern) => pattern.test(request.path))) request.url = `/v1${request.url}`;
    next();
  };
}
