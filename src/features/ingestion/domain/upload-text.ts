import { MIMEType, TextDecoder } from 'node:util';
import { acceptText, type TextResult } from './source-text.js';

const TEXT_TYPES = ['text/plain', 'text/markdown', 'application/json'] as const;
type TextType = (typeof TEXT_TYPES)[number];

export interface ContentType {
  /** Lower case, without parameters. */
  readonly mediaType: string;
  /** Lower case, as declared. */
  readonly charset?: string;
}

/** Undefined for a header that is no media type. */
export function parseContentType(header: string): ContentType | undefined {
  try {
    const type = new MIMEType(header);
    const charset = type.params.get('charset')?.trim().toLowerCase();
    return charset === undefined ? { mediaType: type.essence } : { mediaType: type.essence, charset };
  } catch {
    return undefined;
  }
}

/** Whether uploads of this type are read as text. Anything else is an unsupported media type. */
export function isTextType(mediaType: string): mediaType is TextType {
  return (TEXT_TYPES as readonly string[]).includes(mediaType);
}

/**
 * The text of an uploaded file in stored form. For JSON it is the string `text` of the object. `reason` is public: it
 * never quotes the upload.
 *
 * @param contentType as sent. Its charset is honoured; UTF-8 without one.
 */
export function decodeUpload(bytes: Uint8Array, contentType: string): TextResult {
  const type = parseContentType(contentType);
  if (type === undefined || !isTextType(type.mediaType)) return refuse('file is not of a supported type');
  const charset = type.charset ?? 'utf-8';
  const decoder = decoderFor(charset);
  if (decoder === undefined) return refuse('file declares an unknown charset');
  let decoded: string;
  try {
    // In two steps, because Node's one-step decoding takes windows-1252 for latin1: quotes and € become control characters.
    decoded = decoder.decode(bytes, { stream: true }) + decoder.decode();
  } catch {
    return refuse(`file is not valid ${decoder.encoding}`);
  }
  return type.mediaType === 'application/json' ? textOfJson(decoded) : acceptText(decoded);
}

function decoderFor(charset: string): TextDecoder | undefined {
  try {
    return new TextDecoder(charset, { fatal: true });
  } catch {
    return undefined;
  }
}

function textOfJson(source: string): TextResult {
  let value: unknown;
  try {
    value = JSON.parse(source);
  } catch {
    return refuse('file is not valid JSON');
  }
  if (typeof value === 'object' && value !== null && 'text' in value && typeof value.text === 'string') {
    return acceptText(value.text);
  }
  return refuse('JSON file must be an object with a string "text"');
}

function refuse(reason: string): TextResult {
  return { ok: false, reason };
}
