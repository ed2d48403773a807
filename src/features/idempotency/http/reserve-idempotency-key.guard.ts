import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { Inject, Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import type { Request } from 'express';
import { currentContext, type Context } from '../../../kernel/context.js';
import { IdempotencyKeys } from '../application/idempotency-keys.js';
import { fingerprint, type Payload } from '../domain/fingerprint.js';
import { isReplayed, keyOf, takesKey } from '../domain/idempotency-key.js';
import { idempotencyErrors } from '../idempotency.errors.js';
import { idempotencySettings, type IdempotencySettings } from '../idempotency.settings.js';

/**
 * Stage 11. Of all requests with one key lets one go on, which then holds the key in `context.reservation`. A
 * repetition goes on with `context.replay`, the answer that AnswerOnce sends in place of the handler's. Before any row
 * is looked up, so that what the first request deleted or changed does not turn its repetition into an error.
 */
@Injectable()
export class ReserveIdempotencyKey implements CanActivate {
  constructor(
    private readonly keys: IdempotencyKeys,
    @Inject(idempotencySettings.token) private readonly settings: IdempotencySettings,
  ) {}

  canActivate(execution: ExecutionContext): boolean | Promise<boolean> {
    const context = currentContext();
    context.trail.push('idempotency');
    const request = execution.switchToHttp().getRequest<Request>();
    const { operation, principal } = context;
    const header =
      this.settings.enabled && context.apiVersion !== 'legacy' ? request.get('idempotency-key') : undefined;
    if (header === undefined || operation === undefined || principal === undefined) return true;
    if (!takesKey(request.method, operation)) return true;
    const key = keyOf(header);
    if (key === undefined) throw idempotencyErrors.IDEMPOTENCY_KEY_INVALID();
    context.idempotencyKey = key;
    if (!isReplayed(operation)) return true;
    return this.#reserve(context, principal.apiKeyId, key, request);
  }

  async #reserve(context: Context, actorId: string, key: string, request: Request): Promise<boolean> {
    const { method } = request;
    // As it was asked for: an alias answers in another shape.
    const path = context.path ?? request.path;
    Object.assign(
      context,
      await this.keys.reserve({ actorId, method, path, key }, fingerprint(await payloadOf(request))),
    );
    return true;
  }
}

async function payloadOf(request: Request): Promise<Payload> {
  const { method, path, query, file } = request;
  return {
    method,
    path,
    query,
    ifMatch: request.get('if-match')?.trim() ?? null,
    body: request.body as unknown,
    file:
      file === undefined
        ? null
        : { name: file.originalname, contentType: file.mimetype, sha256: await sha256OfFile(file.path) },
  };
}

async function sha256OfFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}
