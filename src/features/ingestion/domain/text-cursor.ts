/** A stretch of a text, without white space at its ends. */
export interface TextSpan {
  /** UTF-16 units from the start of the text; `end` is exclusive. */
  readonly start: number;
  readonly end: number;
  /** The same places in code points. */
  readonly startPoint: number;
  readonly endPoint: number;
}

/** A place in a text, known in UTF-16 units and in code points. Moves forward only, so a scan is linear. */
export class TextCursor {
  /** @param units where it stands, in UTF-16 units; `points` is the same place in code points. */
  constructor(
    private readonly text: string,
    public units = 0,
    public points = 0,
  ) {}

  copy(): TextCursor {
    return new TextCursor(this.text, this.units, this.points);
  }

  /** Stops after `count` code points or at `limit` units, whichever comes first. */
  advance(count: number, limit: number): void {
    for (let taken = 0; taken < count && this.units < limit; taken += 1) {
      const wide = isHighSurrogate(this.text, this.units) && isLowSurrogate(this.text, this.units + 1);
      this.units += wide ? 2 : 1;
      this.points += 1;
    }
  }

  /**
   * What lies between two places, neither of them behind the cursor, without the white space at its ends; undefined
   * when nothing else is there. The cursor stands at its end afterwards.
   */
  span(start: number, end: number): TextSpan | undefined {
    const trimmed = trimmedRange(this.text, start, end);
    if (trimmed === undefined) return undefined;
    this.advance(Infinity, trimmed.start);
    const startPoint = this.points;
    this.advance(Infinity, trimmed.end);
    return { start: trimmed.start, end: trimmed.end, startPoint, endPoint: this.points };
  }
}

/** The range, in UTF-16 units, without the white space at its ends; undefined when it is blank. */
export function trimmedRange(text: string, from: number, to: number): { start: number; end: number } | undefined {
  const raw = text.slice(from, to);
  const start = from + raw.length - raw.trimStart().length;
  const end = from + raw.trimEnd().length;
  return start < end ? { start, end } : undefined;
}

function isHighSurrogate(text: string, at: number): boolean {
  return (text.charCodeAt(at) & 0xfc00) === 0xd800;
}

function isLowSurrogate(text: string, at: number): boolean {
  return (text.charCodeAt(at) & 0xfc00) === 0xdc00;
}
