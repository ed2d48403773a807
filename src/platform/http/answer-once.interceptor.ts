import type { CallHandler, ExecutionContext, NestInterceptor } from '@nestjs/common';
import type { Response } from 'express';
import { concatMap, of, type Observable } from 'rxjs';
import { currentContext, type Context } from '../../kernel/context.js';
import type { Reservation, StoredAnswer } from '../../kernel/idempotency.js';
import { bodyOf, WrittenBody } from './answer.js';

/**
 * Stage 19. Keeps the answer of the request that holds an `Idempotency-Key`, and sends it to those that repeat it. Around
 * writes only: see `Operation`.
 */
export class AnswerOnce implements NestInterceptor {
  intercept(execution: ExecutionContext, next: CallHandler): Observable<unknown> {
    const context = currentContext();
    const response = execution.switchToHttp().getResponse<Response>();
    const { replay, reservation } = context;
    if (replay !== undefined) return of(repeat(replay, context, response));
    if (reservation === undefined) return next.handle();
    const before = new Set(response.getHeaderNames());
    return next.handle().pipe(concatMap((result: unknown) => keep(reservation, result, context, response, before)));
  }
}

/** Answers with the very text that is kept. */
async function keep(
  reservation: Reservation,
  result: unknown,
  context: Context,
  response: Response,
  before: ReadonlySet<string>,
): Promise<WrittenBody> {
  const body = bodyOf(result, context, response);
  if (body !== undefined) response.type('json');
  const text = body === undefined ? null : JSON.stringify(body);
  await reservation.complete({ status: response.statusCode, headers: headersOf(response, before), body: text });
  return new WrittenBody(text ?? undefined);
}

/** What the handler said in headers, and the request id. The rest belongs to the single answer. */
function headersOf(response: Response, before: ReadonlySet<string>): StoredAnswer['headers'] {
  const names = response.getHeaderNames().filter((name) => name === 'x-request-id' || !before.has(name));
  return Object.fromEntries(
    names.map((name) => {
      const value = response.getHeader(name);
      return [name, Array.isArray(value) ? value : String(value)];
    }),
  );
}

function repeat({ status, headers, body }: StoredAnswer, context: Context, response: Response): WrittenBody {
  response.status(status);
  for (const [name, value] of Object.entries(headers)) {
    response.setHeader(name, typeof value === 'string' ? value : [...value]);
  }
  response.setHeader('Idempotency-Replayed', 'true');
  response.setHeader('X-Replay-Request-Id', context.requestId);
  return new WrittenBody(body ?? undefined);
}
