import { isUtf8 } from 'node:buffer';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import express, { type Request, type RequestHandler, type Response } from 'express';
import multer, { MulterError } from 'multer';
import { commonErrors } from '../../kernel/common-errors.js';
import { AppError } from '../../kernel/errors.js';
import type { HttpSettings } from './http.settings.js';
import { invalidRequest } from './invalid-request.js';

/** What a multipart body adds to its file: boundaries and form fields. */
export const MULTIPART_ALLOWANCE = 256 * 1024;

/** Reads the body of a request once its sender may send one. Leaves it in `request.body` (and `request.file`). */
export type BodyReader = (request: Request, response: Response) => Promise<void>;

/** JSON, refusing text that is not UTF-8 instead of repairing it. An absent body reads as `{}`. */
export function jsonReader(settings: HttpSettings): BodyReader {
  const parse = promised(
    express.json({
      limit: settings.maxJsonBytes,
      type: ['application/json', 'application/*+json'],
      strict: false,
      verify: (_request, _response, buffer) => {
        if (!isUtf8(buffer)) throw invalidRequest([{ loc: ['body'], msg: 'is not valid UTF-8', type: 'encoding' }]);
      },
    }),
  );
  return async (request, response) => {
    try {
      await Promise.race([parse(request, response), overflow(request, settings.maxJsonBytes)]);
    } catch (error) {
      throw bodyError(error);
    }
    if (request.body !== undefined) return;
    const hasBody = request.get('transfer-encoding') !== undefined || Number(request.get('content-length') ?? 0) > 0;
    if (hasBody) throw commonErrors.UNSUPPORTED_MEDIA_TYPE({ message: 'Send the body as application/json.' });
    request.body = {};
  };
}

/** One file and some text fields. The file goes to a temporary folder that is removed with the response. */
export function multipartReader(settings: HttpSettings): BodyReader {
  return async (request, response) => {
    if (request.is('multipart/form-data') === false) {
      throw commonErrors.UNSUPPORTED_MEDIA_TYPE({ message: 'Send the body as multipart/form-data.' });
    }
    const folder = await mkdtemp(join(tmpdir(), `nexusrag-upload-${process.pid}-`));
    const remove = (): void => void rm(folder, { recursive: true, force: true, maxRetries: 3 }).catch(() => undefined);
    response.once('close', remove);
    if (response.destroyed) {
      // The sender left in the meantime: there will be no further event, neither of the body nor of the response.
      remove();
      throw commonErrors.BAD_REQUEST();
    }
    const upload = multer({
      dest: folder,
      defParamCharset: 'utf8',
      limits: { files: 1, fileSize: settings.maxFileBytes, fields: 20, fieldSize: 64 * 1024, parts: 24 },
    });
    try {
      const read = promised(upload.single('file'))(request, response);
      await Promise.race([read, overflow(request, settings.maxFileBytes + MULTIPART_ALLOWANCE)]);
    } catch (error) {
      throw multipartError(error);
    }
    request.body = { ...(request.body as Record<string, unknown> | undefined) };
  };
}

/**
 * Rejects as soon as more than `limit` bytes have arrived. The parsers notice as well, but answer only when the sender
 * stops, and a body without a declared length may go on for ever.
 */
function overflow(request: Request, limit: number): Promise<never> {
  return new Promise((_resolve, reject) => {
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > limit) reject(commonErrors.PAYLOAD_TOO_LARGE());
    });
  });
}

function promised(handler: RequestHandler): BodyReader {
  return (request, response) =>
    new Promise((resolve, reject) => {
      void handler(request, response, (error?: unknown) => {
        if (error === undefined) resolve();
        else reject(error instanceof Error ? error : new Error('The body was not read.', { cause: error }));
      });
    });
}

function bodyError(error: unknown): unknown {
  if (error instanceof AppError || !(error instanceof Error)) return error;
  const { status, type } = error as { readonly status?: unknown; readonly type?: unknown };
  if (status !== 400 || type === 'request.aborted') return error;
  return invalidRequest([{ loc: ['body'], msg: 'is not valid JSON', type: 'json_invalid' }], error);
}

function multipartError(error: unknown): unknown {
  if (error instanceof AppError) return error;
  if (error instanceof MulterError && error.code === 'LIMIT_FILE_SIZE') {
    return commonErrors.PAYLOAD_TOO_LARGE({ cause: error });
  }
  return invalidRequest([{ loc: ['body'], msg: 'is not a multipart form with one file', type: 'form_invalid' }], error);
}
