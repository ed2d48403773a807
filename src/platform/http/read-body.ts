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
      await parse(request, response);
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
    const folder = await mkdtemp(join(tmpdir(), 'nexusrag-upload-'));
    response.once('close', () => void rm(folder, { recursive: true, force: true }).catch(() => undefined));
    const upload = multer({
      dest: folder,
      defParamCharset: 'utf8',
      limits: { files: 1, fileSize: settings.maxFileBytes, fields: 20, fieldSize: 64 * 1024, parts: 24 },
    });
    try {
      await promised(upload.single('file'))(request, response);
    } catch (error) {
      throw multipartError(error);
    }
    request.body = { ...(request.body as Record<string, unknown> | undefined) };
  };
}

function promised(handler: RequestHandler): BodyReader {
  return (request, response) =>
    new Promise((resolve, reject) => {
      void handler(request, response, (error?: unknown) => {
        if (error === undefined) resolve();
        else reject(error as Error);
      });
    });
}

function bodyError(error: unknown): unknown {
  if (error instanceof AppError || !(error instanceof Error) || !('type' in error)) return error;
  if (error.type === 'entity.parse.failed' || error.type === 'request.size.invalid') {
    return invalidRequest([{ loc: ['body'], msg: 'is not valid JSON', type: 'json_invalid' }], error);
  }
  return error;
}

function multipartError(error: unknown): unknown {
  if (error instanceof MulterError && error.code === 'LIMIT_FILE_SIZE') {
    return commonErrors.PAYLOAD_TOO_LARGE({ cause: error });
  }
  return invalidRequest([{ loc: ['body'], msg: 'is not a multipart form with one file', type: 'form_invalid' }], error);
}
