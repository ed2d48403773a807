import type { Provider } from '@nestjs/common';
import { APP_FILTER, APP_GUARD } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import helmet from 'helmet';
import type { Logger } from 'pino';
import type { Ids } from '../kernel/ids.js';
import type { Clock } from '../kernel/time.js';
import {
  accessLog,
  BeginHandler,
  ErrorEnvelope,
  legacyRoutes,
  requestContext,
  routeMatch,
  ValidateRequest,
  type HttpSettings,
  type RouteHandlers,
  type RouteManifest,
} from '../platform/http/index.js';
import { Authenticate } from '../features/auth/index.js';
import { RequireFeature } from '../features/plans/index.js';
import { ByokEnabled } from '../features/provider-keys/index.js';
import { ChargeQuota } from '../features/quotas/index.js';
import { LimitRate, ThrottleAddress } from '../features/rate-limits/index.js';
import { CheckResidency } from '../features/residency/index.js';
import { WriteGate } from '../features/tenant-moves/index.js';
import { ReserveIdempotencyKey } from '../features/idempotency/index.js';
import { Authorize } from '../features/rbac-abac/index.js';

/*
 * The life of a request. This is the only file that registers global middleware, guards, interceptors or filters;
 * the order here is the order at run time. docs/guides/request-lifecycle.md tells the whole story.
 *
 *  stage                          where                       fails with
 *   1 context, access log         middleware requestContext   –
 *   2 route, declared size        middleware routeMatch       404, 405, 410, 413
 *   3 pre-authentication throttle guard ThrottleAddress       429
 *   4 authentication              guard Authenticate          401, 403, 503
 *   5 residency                   guard CheckResidency        403, 429, 503
 *   6 rate limit                  guard LimitRate             429, 503
 *   7 kill switch, write gate     guards ByokEnabled, WriteGate 503
 *   8 role                        guard Authorize             403
 *   9 validation                  guard ValidateRequest       400, 413, 415, 422
 *  10 plan feature                guard RequireFeature        403
 *  11 idempotency                 guard ReserveIdempotencyKey 400, 409, 503
 *  12 quota                       guard ChargeQuota           402
 *  13 governance rule
 *  14 bulkhead                    the handler's service       503
 *  15 resource, legal hold        the handler's service       404
 *  16 document ACL, policies
 *  17 state checks                the handler's service       409
 *  18 SLA, cost, entitlements     the handler's service       403
 *  19 handler                     guard BeginHandler; around writes AnswerOnce, which a replay ends at
 *  20 envelope, errors            AnsweringAdapter, filter ErrorEnvelope
 *
 * Stages without a place of execution are kept free for the features that will own them.
 */

/** Runs before routing and before any body is read, so that even an unreadable request has an id and an envelope. */
export function installMiddleware(
  app: NestExpressApplication,
  { clock, ids, logger, manifest, handlers, settings }: MiddlewareParts,
): void {
  app.set('trust proxy', settings.trustProxyHops);
  app.set('query parser', 'simple');
  app.disable('x-powered-by');
  // Every body has the id of its request, so no two are the same: a hash of it would never match. Versions have tags.
  app.disable('etag');
  app.use(requestContext(clock, ids));
  app.use(accessLog(logger, clock));
  app.use(helmet({ contentSecurityPolicy: { directives: { upgradeInsecureRequests: null } } }));
  if (settings.corsOrigins.length > 0) {
    app.enableCors({ origin: [...settings.corsOrigins], exposedHeaders: EXPOSED_HEADERS, maxAge: 600 });
  }
  app.use(legacyRoutes(settings));
  app.use(routeMatch(manifest, handlers, settings));
}

export interface MiddlewareParts {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly logger: Logger;
  readonly manifest: RouteManifest;
  /** Known once the application is initialised. */
  readonly handlers: () => RouteHandlers;
  readonly settings: HttpSettings;
}

const EXPOSED_HEADERS = [
  'X-Request-Id',
  'X-Run-Id',
  'X-Receipt-Id',
  'ETag',
  'Link',
  'Location',
  'Retry-After',
  'RateLimit',
  'RateLimit-Policy',
  'X-RateLimit-Scope',
  'X-RateLimit-Route-Class',
  'X-RateLimit-Retry-After-Ms',
  'X-RateLimit-Status',
  'Deprecation',
  'Idempotency-Replayed',
  'X-Replay-Request-Id',
  'Sunset',
  'X-Quota-Day-Limit',
  'X-Quota-Day-Used',
  'X-Quota-Day-Remaining',
  'X-Quota-Month-Limit',
  'X-Quota-Month-Used',
  'X-Quota-Month-Remaining',
  'X-Quota-SoftCap-Reached',
  'X-Quota-HardCap-Mode',
];

/** First to last. Each is provided by the feature that owns the rule. */
const GUARDS = [
  ThrottleAddress,
  Authenticate,
  CheckResidency,
  LimitRate,
  ByokEnabled,
  WriteGate,
  Authorize,
  ValidateRequest,
  RequireFeature,
  ReserveIdempotencyKey,
  ChargeQuota,
  BeginHandler,
];

export const PIPELINE_PROVIDERS: Provider[] = [
  ValidateRequest,
  BeginHandler,
  ...GUARDS.map((guard) => ({ provide: APP_GUARD, useExisting: guard })),
  { provide: APP_FILTER, useClass: ErrorEnvelope },
];
