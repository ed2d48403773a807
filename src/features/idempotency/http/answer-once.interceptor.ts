import { Injectable, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import type { Response } from 'express';
import { concatMap, of, type Observable } from 'rxjs';
import { currentContext, type Context } from '../../../kernel/context.js';
import type { Reservation, StoredAnswer } from '../../../kernel/idempotency.js';

/** Stage 11, second half. Keeps the answer of the request that holds a key, and sends it to those that repeat it. */
@Injectable()
export class AnswerOnce implements NestInterceptor {
  intercept(execution: ExecutionContext, next: CallHandler): Observable<unknown> {
    const context = currentContext();
    const response = execution.switchToHttp().getResponse<Response>();
    const { replay, reservation } = context;
    if (replay !== undefined) return of(repeat(replay, context, response));
    if (reservation === undefined) return next.handle();
    const before = new Set(response.getHeaderNames());
    return next.handle().pipe(concatMap((body: unknown) => keep(reservation, body, response, before)));
  }
}

/** Answers with the very text that is kept. */
async function keep(
  reservation: Reservation,
  body: unknown,
  response: Response,
  before: ReadonlySet<string>,
): Promise<string | undefined> {
  if (body !== undefined) response.type('json');
  const text = body === undefined ? null : JSON.stringify(body);
  await reservation.complete({ status: response.statusCode, headers: headersOf(response, before), body: text });
  return text ?? undefined;
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

function repeat({ status, headers, body }: StoredAnswer, context: Context, response: Response): string | undefined {
  response.status(status);
  for (const [name, value] of Object.entries(headers)) {
    response.setHeader(name, typeof value === 'string' ? value : [...value]);
  }
  response.setHeader('Idempotency-Replayed', 'true');
  response.setHeader('X-Replay-Request-Id', context.requestId);
  return body ?? undefined;
}
