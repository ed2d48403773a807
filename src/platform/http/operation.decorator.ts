import { applyDecorators, HttpCode, SetMetadata, UseInterceptors, type Type } from '@nestjs/common';
import { ApiBearerAuth, ApiConsumes, ApiOperation, ApiProduces, ApiResponse } from '@nestjs/swagger';
import type { Operation as OperationSpec } from '../../kernel/operation.js';
import { AnswerOnce } from './answer-once.interceptor.js';

export const OPERATION = 'nexusrag:operation';

export type OperationOptions = Omit<OperationSpec, 'status' | 'response' | 'errors' | 'audit'> &
  Partial<Pick<OperationSpec, 'status' | 'response' | 'errors' | 'audit'>> & {
    /** Wire type of the success body, before the envelope. */
    readonly returns?: Type<unknown> | readonly [Type<unknown>];
  };

/** Content type of bodies that are bytes. */
export const BYTES = 'application/octet-stream';

/** Around writes, which take an `Idempotency-Key`; an interceptor that did nothing would cost each read a twentieth. */
const ANSWER_ONCE = new AnswerOnce();

const MEDIA_TYPE = {
  json: 'application/json',
  bare: 'application/json',
  stream: 'text/event-stream',
  lines: 'application/x-ndjson',
  binary: BYTES,
  empty: undefined,
};

/** Declares a handler: what it is called, who may call it, what it costs, writes and can answer. */
export function Operation({ returns, ...options }: OperationOptions): MethodDecorator {
  const operation: OperationSpec = { status: 200, response: 'json', errors: [], audit: [], ...options };
  const mediaType = MEDIA_TYPE[operation.response];
  return applyDecorators(
    SetMetadata(OPERATION, operation),
    HttpCode(operation.status),
    ...(operation.rateClass === 'read' ? [] : [UseInterceptors(ANSWER_ONCE)]),
    ApiOperation({ operationId: operation.id, summary: operation.summary }),
    ...successStatuses(operation).map((status) =>
      ApiResponse({ status, description: 'Success', ...wireType(returns) }),
    ),
    ...(mediaType === undefined ? [] : [ApiProduces(mediaType)]),
    ...(operation.body === 'multipart' ? [ApiConsumes('multipart/form-data')] : []),
    ...(operation.body === 'binary' ? [ApiConsumes(BYTES, 'application/json')] : []),
    ...(operation.role === 'public' ? [] : [ApiBearerAuth('BearerAuth')]),
  );
}

/** The success statuses of an operation, its usual one first. */
export function successStatuses({ status, alternatives = [] }: OperationSpec): number[] {
  return [status, ...alternatives];
}

function wireType(returns: OperationOptions['returns']): { type?: Type<unknown>; isArray?: true } {
  if (returns === undefined) return {};
  return Array.isArray(returns)
    ? { type: returns[0] as Type<unknown>, isArray: true }
    : { type: returns as Type<unknown> };
}
