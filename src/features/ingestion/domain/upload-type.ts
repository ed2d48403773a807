import { fileTypeOfExtension, isFileType, looksLike } from './file-types.js';
import { isTextType, parseContentType } from './upload-text.js';

/** What is done with an uploaded file: decoded at once, or stored as sent and read when it is ingested. */
export type UploadType =
  | { readonly kind: 'text'; readonly mediaType: string; readonly contentType: string }
  | { readonly kind: 'file'; readonly mediaType: string };

/** Sent for files whose type the sender does not know. */
const GENERIC = ['', 'application/octet-stream'];

const TEXT_EXTENSIONS: Readonly<Record<string, string>> = {
  txt: 'text/plain',
  md: 'text/markdown',
  markdown: 'text/markdown',
  json: 'application/json',
};

/**
 * By the declared type; by the extension of the name when that says nothing. A file without any declared type arrives
 * as plain text, which is RFC 7578's default: then the name decides if the content agrees with it.
 *
 * @returns undefined for a type that is not supported.
 */
export function uploadTypeOf(contentType: string, filename: string, bytes: Uint8Array): UploadType | undefined {
  const declared = contentType.trim();
  const mediaType = declared === '' ? '' : parseContentType(declared)?.mediaType;
  if (mediaType === undefined) return undefined;
  const extension = /\.([a-z0-9]+)$/.exec(filename.trim().toLowerCase())?.[1] ?? '';
  if (GENERIC.includes(mediaType)) return typeOf(typeOfExtension(extension));
  const named = fileTypeOfExtension(extension);
  if (mediaType === 'text/plain' && named !== undefined && isMarked(named, bytes)) return typeOf(named);
  return typeOf(mediaType, declared);
}

function typeOf(mediaType: string | undefined, contentType = mediaType): UploadType | undefined {
  if (mediaType === undefined || contentType === undefined) return undefined;
  if (isTextType(mediaType)) return { kind: 'text', mediaType, contentType };
  return isFileType(mediaType) ? { kind: 'file', mediaType } : undefined;
}

function typeOfExtension(extension: string): string | undefined {
  const text = Object.hasOwn(TEXT_EXTENSIONS, extension) ? TEXT_EXTENSIONS[extension] : undefined;
  return text ?? fileTypeOfExtension(extension);
}

/** Whether the bytes show the type. Those of HTML and CSV show nothing: they are plain text, too. */
function isMarked(mediaType: string, bytes: Uint8Array): boolean {
  return looksLike(mediaType, bytes) && !looksLike('text/html', bytes);
}
