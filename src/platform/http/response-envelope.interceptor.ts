import { Injectable, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import type { Request, Response } from 'express';
import { map, type Observable } from 'rxjs';
import { currentContext, type Context } from '../../kernel/context.js';
import { Page } from '../../kernel/cursor.js';
import { Clock } from '../../kernel/time.js';
import { Reply } from './reply.js';
import { requestTimes } from './request-context.js';

/** Stage 20. Puts every JSON success of v1 into `{data, meta}`; aliases get the bare payload. */
@Injectable()
export class ResponseEnvelope implements NestInterceptor {
  constructor(private readonly clock: Clock) {}

  intercept(execution: ExecutionContext, next: CallHandler): Observable<unknown> {
    const context = currentContext();
    context.trail.push('handler');
    const request = execution.switchToHttp().getRequest<Request>();
    const response = execution.switchToHttp().getResponse<Response>();
    requestTimes(request).handlerStarted = this.clock.monotonic();
    return next.handle().pipe(
      map((result: unknown) => {
        const reply = result instanceof Reply ? (result as Reply<unknown>) : new Reply(result);
        if (context.operation?.response === 'stream' || response.headersSent) return reply.data;
        if (reply.options.status !== undefined) response.status(reply.options.status);
        for (const [name, value] of Object.entries(reply.options.headers ?? {})) response.setHeader(name, value);
        if (context.operation?.response === 'json') return envelope(reply, context, request, response);
        return reply.data;
      }),
    );
  }
}

function envelope({ data, options }: Reply<unknown>, context: Context, request: Request, response: Response): unknown {
  const page = data instanceof Page ? (data as Page<unknown>) : undefined;
  const nextCursor = page === undefined ? options.nextCursor : page.nextCursor;
  if (nextCursor != null) response.append('Link', `<${nextUrl(request, nextCursor)}>; rel="next"`);
  const payload = page === undefined ? data : page.items;
  if (context.apiVersion !== 'v1') return payload;
  return {
    data: payload,
    meta: {
      request_id: context.requestId,
      api_version: 'v1',
      ...(nextCursor === undefined ? {} : { page: { next_cursor: nextCursor, has_more: nextCursor !== null } }),
    },
  };
}

function nextUrl(request: Request, cursor: string): string {
  const url = new URL(request.originalUrl, 'http://localhost');
  url.searchParams.set('cursor', cursor);
  return `${url.pathname}${url.search}`;
}
