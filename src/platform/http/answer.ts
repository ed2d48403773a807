import { ExpressAdapter } from '@nestjs/platform-express';
import type { Request, Response } from 'express';
import { tryContext, type Context } from '../../kernel/context.js';
import { Page } from '../../kernel/cursor.js';
import { Reply } from './reply.js';

/** A body that is written already, to be sent as it is. */
export class WrittenBody {
  constructor(readonly text: string | undefined) {}
}

/**
 * Stage 20. Sends what handlers return. Not an interceptor: around a handler that has one, Nest builds two dozen objects
 * for every request.
 */
export class AnsweringAdapter extends ExpressAdapter {
  override reply(response: Response, result: unknown, status?: number): unknown {
    const context = tryContext();
    if (result instanceof WrittenBody) return super.reply(response, result.text, status);
    return super.reply(response, context === undefined ? result : bodyOf(result, context, response), status);
  }
}

/**
 * Puts every JSON success of v1 into `{data, meta}`; aliases get the bare payload. Sets the status and the headers that
 * the handler asked for.
 */
export function bodyOf(result: unknown, context: Context, response: Response): unknown {
  const reply = result instanceof Reply ? (result as Reply<unknown>) : new Reply(result);
  if (context.operation?.response === 'stream' || response.headersSent) return reply.data;
  if (reply.options.status !== undefined) response.status(reply.options.status);
  for (const [name, value] of Object.entries(reply.options.headers ?? {})) response.setHeader(name, value);
  return context.operation?.response === 'json' ? envelope(reply, context, response) : reply.data;
}

function envelope({ data, options }: Reply<unknown>, context: Context, response: Response): unknown {
  const page = data instanceof Page ? (data as Page<unknown>) : undefined;
  const nextCursor = page === undefined ? options.nextCursor : page.nextCursor;
  if (nextCursor != null) response.append('Link', `<${nextUrl(response.req, nextCursor)}>; rel="next"`);
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
