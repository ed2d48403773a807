/** A part of a text. Positions count Unicode code points; `to` is the one after the last. */
export interface TextRange {
  readonly from: number;
  readonly to: number;
  readonly text: string;
  /** Of the whole text. */
  readonly totalChars: number;
}

/** What lies in the text of the wanted range, at most `limit` code points of it. */
export function textRange(text: string, from: number, to: number | undefined, limit: number): TextRange {
  const totalChars = codePoints(text);
  const start = Math.min(from, totalChars);
  const end = Math.max(start, Math.min(to ?? totalChars, totalChars, start + limit));
  if (totalChars === text.length) return { from: start, to: end, text: text.slice(start, end), totalChars };
  const first = offsetOf(text, start);
  const part = text.slice(first, offsetOf(text, end - start, first));
  return { from: start, to: end, text: part, totalChars };
}

/** Without an array of them: a text may have millions. Stored texts have no lone surrogates. */
function codePoints(text: string): number {
  let count = 0;
  for (let offset = 0; offset < text.length; offset += 1) {
    const unit = text.charCodeAt(offset);
    if (unit < 0xd800 || unit > 0xdbff) count += 1;
  }
  return count;
}

/** In UTF-16 units, of the code point that comes `count` after the offset `from`. */
function offsetOf(text: string, count: number, from = 0): number {
  let offset = from;
  for (let passed = 0; passed < count; passed += 1) {
    offset += (text.codePointAt(offset) ?? 0) > 0xffff ? 2 : 1;
  }
  return offset;
}
