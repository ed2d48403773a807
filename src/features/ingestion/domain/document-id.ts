/** Safe as a path segment, a file name and a storage key. */
export const DOCUMENT_ID_PATTERN = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

export function isDocumentId(value: string): boolean {
  return DOCUMENT_ID_PATTERN.test(value);
}

/** In code points. */
const MAX_FILENAME_LENGTH = 255;
/** Longer than this, what follows the last dot is taken for text rather than for an extension to keep. */
const MAX_EXTENSION_LENGTH = 16;

/**
 * A name to show and store, never a path: without folders, control characters and the direction overrides that disguise
 * an extension. Keeps all other Unicode, and the extension when it has to cut.
 *
 * @param fallback for a missing name, or one of which nothing remains.
 */
export function sanitiseFilename(given: string | undefined, fallback = 'upload'): string {
  const name = (given ?? '')
    .replace(/[\p{Cc}\u2028\u2029\u202A-\u202E\u2066-\u2069]/gu, '')
    .replace(/\p{Surrogate}/gu, '\uFFFD')
    .replace(/^.*[/\\]/su, '')
    .trim();
  if (/^\.*$/.test(name)) return fallback;
  const points = Array.from(name);
  if (points.length <= MAX_FILENAME_LENGTH) return name;
  const dot = points.lastIndexOf('.');
  const extension = dot >= points.length - MAX_EXTENSION_LENGTH ? points.slice(dot) : [];
  return [...points.slice(0, MAX_FILENAME_LENGTH - extension.length), ...extension].join('');
}
