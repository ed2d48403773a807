const OPENING = '<context>';
const CLOSING = '</context>';

/** Stands for a source that has no name. */
export const UNKNOWN_SOURCE = 'unknown';

/**
 * Anything that a model could read as one of the block's delimiters: other letter case, spaces, invisible characters,
 * wide or ornamental brackets.
 */
const DELIMITER_LOOKALIKE = new RegExp(`[<＜﹤‹〈⟨][\\s\\p{Cf}/／\\\\]*${[...'context'].join('\\p{Cf}*')}`, 'giu');

/**
 * Retrieved texts as a model is given them, in rank order: between delimiters that none can close, one line each so
 * that none can pose as another. Empty without any.
 */
export function contextBlock(passages: readonly { readonly text: string; readonly source?: string | null }[]): string {
  if (passages.length === 0) return '';
  const lines = passages.map(
    ({ source, text }, position) =>
      `[${position + 1}] (${asData(source?.trim() ? source : UNKNOWN_SOURCE)}) ${asData(text)}`,
  );
  return [OPENING, ...lines, CLOSING].join('\n');
}

function asData(text: string): string {
  const line = text.replace(/[\s\u0085]+/g, ' ').trim();
  return line.replace(DELIMITER_LOOKALIKE, (lookalike) => `&lt;${lookalike.slice(1)}`);
}
