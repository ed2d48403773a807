import { Catch, HttpException, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { Request, Response } from 'express';
import { Log } from '../../kernel/log.js';
import { commonErrors } from '../../kernel/common-errors.js';
import type { Context } from '../../kernel/context.js';
import { AppError, type ErrorFactory } from '../../kernel/errors.js';
import { contextOf } from './request-context.js';

/** Failures of the HTTP machinery itself, by the status that it gives them. */
const BY_STATUS: Readonly<Record<number, ErrorFactory>> = {
  400: commonErrors.BAD_REQUEST,
  404: commonErrors.NOT_FOUND,
  405: commonErrors.METHOD_NOT_ALLOWED,
  406: commonErrors.NOT_ACCEPTABLE,
  413: commonErrors.PAYLOAD_TOO_LARGE,
  415: commonErrors.UNSUPPORTED_MEDIA_TYPE,
  422: commonErrors.REQUEST_VALIDATION_ERROR,
  431: commonErrors.REQUEST_HEADER_FIELDS_TOO_LARGE,
  503: commonErrors.SERVICE_UNAVAILABLE,
};

/** The only place that writes error bodies. What is not one of our errors becomes INTERNAL_ERROR, logged in full. */
@Catch()
export class ErrorEnvelope implements ExceptionFilter {
  constructor(private readonly log: Log) {}

  async catch(thrown: unknown, host: ArgumentsHost): Promise<void> {
    const http = host.switchToHttp();
    const request = http.getRequest<Request>();
    const response = http.getResponse<Response>();
    const context = contextOf(request);
    const error = asAppError(thrown);
    await context?.reservation?.release();
    if (context !== undefined) context.errorCode = error.code;
    if (error.status >= 500) {
      this.log.error({ request_id: context?.requestId, code: error.code, err: thrown }, 'request failed');
    }
    if (response.headersSent) {
      response.destroy();
      return;
    }
    for (const [name, value] of Object.entries(error.headers)) response.setHeader(name, value);
    if (error.status === 401) response.setHeader('WWW-Authenticate', 'Bearer');
    response.status(error.status).json(errorBody(error, context));
  }
}

function asAppError(thrown: unknown): AppError {
  if (thrown instanceof AppError) return thrown;
  const status = thrown instanceof HttpException ? thrown.getStatus() : statusOf(thrown);
  return (BY_STATUS[status] ?? commonErrors.INTERNAL_ERROR)({ cause: thrown });
}

/** Express and its parsers throw plain errors that carry `status` and `expose`. */
function statusOf(thrown: unknown): number {
  if (thrown instanceof URIError) return 400;
  if (!(thrown instanceof Error) || !('expose' in thrown) || !('status' in thrown)) return 500;
  return typeof thrown.status === 'number' ? thrown.status : 500;
}

/** The v1 body, or the shape from before v1 for an unversioned path. */
export function errorBody(error: AppError, context: Context | undefined): unknown {
  if (context?.apiVersion === 'legacy') return { detail: legacyDetail(error) };
  return {
    error: {
      code: error.code,
      message: error.message,
      ...(error.details === undefined || Object.keys(error.details).length === 0 ? {} : { details: error.details }),
    },
    meta: { request_id: context?.requestId ?? '', api_version: 'v1' },
  };
}

function legacyDetail(error: AppError): unknown {
  if (error.code === 'INTERNAL_ERROR') return 'Internal Server Error';
  if (error.code === 'REQUEST_VALIDATION_ERROR') return error.details?.['errors'] ?? [];
  return { code: error.code, message: error.message, ...error.details };
}
