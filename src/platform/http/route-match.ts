import type { NextFunction, Request, RequestHandler, Response } from 'express';
import { commonErrors } from '../../kernel/common-errors.js';
import { currentContext } from '../../kernel/context.js';
import type { HttpSettings } from './http.settings.js';
import { MULTIPART_ALLOWANCE } from './read-body.js';
import type { RouteManifest } from './route-manifest.js';

/** Served outside the manifest: the API description and its viewer. */
const DOCUMENTATION = /^\/v1\/(docs(\/.*)?|openapi\.json)$/;
const READS = ['GET', 'HEAD'];

/**
 * Stage 2, second half. Finds the operation, so that every later stage knows what it guards; answers 404, 405, and
 * 413 for a declared length over the limit before anybody is authenticated or a byte of the body is read.
 */
export function routeMatch(manifest: RouteManifest, settings: HttpSettings): RequestHandler {
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
    context.operation = match.route.operation;
    context.trail.push('route');
    const limit =
      match.route.operation.body === 'multipart' ? settings.maxFileBytes + MULTIPART_ALLOWANCE : settings.maxJsonBytes;
    if (Number(request.get('content-length') ?? 0) > limit) throw commonErrors.PAYLOAD_TOO_LARGE();
    next();
  };
}
