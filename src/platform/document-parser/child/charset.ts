import { TextDecoder } from 'node:util';
import { Unreadable } from './unreadable.js';

/** The ones that are never text. */
const BINARY = ['%PDF-', 'PK\u0003\u0004', '\u00d0\u00cf\u0011\u00e0'];

/**
 * The text of a file in the charset that its byte order mark or `declared` says; without either UTF-8, and for bytes
 * that are none windows-1252, in which every byte is a character.
 *
 * @throws Unreadable for what is no text.
 */
export function decodeText(bytes: Uint8Array, declared?: string): string {
  const start = Buffer.from(bytes.subarray(0, 8)).toString('latin1');
  if (BINARY.some((magic) => start.startsWith(magic))) throw new Unreadable('corrupt');
  const marked = charsetOfMark(start);
  if (marked !== undefined) return decode(bytes, marked);
  // HTML says so: who can read an ASCII declaration is not reading UTF-16.
  const charset = declared?.replace(/^utf-?16.*$/i, 'utf-8');
  const text =
    (charset === undefined ? undefined : tryDecode(bytes, charset)) ??
    tryDecode(bytes, 'utf-8') ??
    decode(bytes, 'windows-1252');
  if (text.includes('\0')) throw new Unreadable('corrupt');
  return text;
}

function charsetOfMark(start: string): string | undefined {
  if (start.startsWith('\u00ef\u00bb\u00bf')) return 'utf-8';
  if (start.startsWith('\u00ff\u00fe')) return 'utf-16le';
  return start.startsWith('\u00fe\u00ff') ? 'utf-16be' : undefined;
}

function tryDecode(bytes: Uint8Array, charset: string): string | undefined {
  try {
    return twoSteps(new TextDecoder(charset, { fatal: true }), bytes);
  } catch {
    return undefined;
  }
}

function decode(bytes: Uint8Array, charset: string): string {
  return twoSteps(new TextDecoder(charset), bytes);
}

/** Node's one-step decoding takes windows-1252 for latin1: quotes and € become control characters. */
function twoSteps(decoder: TextDecoder, bytes: Uint8Array): string {
  return decoder.decode(bytes, { stream: true }) + decoder.decode();
}
