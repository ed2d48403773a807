/**
 * The stored form of a text. Everything that counts positions (chunks, citations, `/content?from&to`) counts
 * Unicode code points of this form, so it is made once, before storing.
 */

/** CRLF and lone CR become LF. */
export function normaliseNewlines(text: string): string {
  return text.replace(/\r\n?/g, '\n');
}

/**
 * Stored form: LF newlines, no byte order mark, no NUL (Postgres cannot hold it), lone surrogates replaced by U+FFFD
 * (UTF-8 cannot hold them). No Unicode normalisation: the reader gets back the characters that were sent.
 */
export function normaliseText(text: string): string {
  const wellFormed = text.replace(/^\uFEFF/, '').replace(/\p{Surrogate}/gu, '\uFFFD');
  return normaliseNewlines(wellFormed.replace(/\0/g, ''));
}

export type TextResult = { readonly ok: true; readonly text: string } | { readonly ok: false; readonly reason: string };

/** Normalises a text that a caller sent, and refuses one that has nothing to index. */
export function acceptText(raw: string): TextResult {
  const text = normaliseText(raw);
  return text.trim() === '' ? { ok: false, reason: 'text must not be blank' } : { ok: true, text };
}
