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

/** Where others look for it: the same as under /v1, and no alias that will go away. */
const WELL_KNOWN = /^\/\.well-known\//;

/** Areas that exist only under /v1. */
const VERSIONED_ONLY = [/^\/ui(\/|$)/];

const REDIRECTS: Readonly<Record<string, string>> = { '/docs': '/v1/docs', '/openapi.json': '/v1/openapi.json' };

/**
 * Areas of v1 that answer under /api as well, or without a prefix: with bare bodies, the errors of v1, and nothing
 * deprecated about them. What matches is replaced.
 */
const BARE = /^(\/api(?=\/(providers|vector-dbs)([/?]|$))|(?=\/admin\/tenants\/[^/?]+\/config(\?|$)))/;

export function apiVersionOf(path: string): 'v1' | 'bare' | 'legacy' {
  if (BARE.test(path)) return 'bare';
  return [WELL_KNOWN, ...EXEMPT].some((pattern) => pattern.test(path)) ? 'v1' : 'legacy';
}

/**
 * Stage 2, first half. Every v1 route also answers without its prefix, in the shapes from before v1, and some under
 * /api. The path is rewritten before routing, so an alias is the route itself and cannot drift from it.
 */
export function legacyRoutes(settings: HttpSettings): RequestHandler {
  const sunset = settings.legacySunsetAt.toUTCString();
  return (request: Request, response: Response, next: NextFunction) => {
    const target = REDIRECTS[request.path];
    if (target !== undefined) return response.redirect(307, target);
    const version = apiVersionOf(request.path);
    if (WELL_KNOWN.test(request.path)) request.url = `/v1${request.url}`;
    if (version === 'bare') request.url = request.url.replace(BARE, '/v1');
    if (version !== 'legacy') return next();
    response.setHeader('Deprecation', 'true');
    response.setHeader('Sunset', sunset);
    response.setHeader('Link', '</v1/docs>; rel="successor-version"');
    if (!settings.legacyRoutesEnabled) throw commonErrors.GONE();
    if (!VERSIONED_ONLY.some((pattern) => pattern.test(request.path))) request.url = `/v1${request.url}`;
    next();
  };
}
