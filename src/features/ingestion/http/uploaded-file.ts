import { readFile } from 'node:fs/promises';
import { commonErrors } from '../../../kernel/common-errors.js';
import type { UploadRequest } from '../application/submissions.js';

/** The uploaded file in memory; its size was limited while it was received. @throws REQUEST_VALIDATION_ERROR without one. */
export async function readUpload(file: Express.Multer.File | undefined): Promise<UploadRequest['file']> {
  if (file === undefined) {
    throw commonErrors.REQUEST_VALIDATION_ERROR({
      details: { errors: [{ loc: ['body', 'file'], msg: 'file must be uploaded', type: 'missing' }] },
    });
  }
  return { name: file.originalname, contentType: file.mimetype, bytes: await readFile(file.path) };
}
