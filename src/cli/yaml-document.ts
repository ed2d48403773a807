import { isNode, LineCounter, parseDocument, type Document } from 'yaml';

export interface YamlFault {
  /** From 1. */
  readonly line: number;
  readonly message: string;
}

/** A YAML file that is read once, with the lines that its values stand on. JSON is YAML, too. */
export class YamlDocument {
  private constructor(
    /** As JSON. */
    readonly value: unknown,
    private readonly document: Document,
    private readonly lines: LineCounter,
  ) {}

  /** Aliases that would grow without bound are faults. */
  static parse(text: string): YamlDocument | readonly YamlFault[] {
    const lines = new LineCounter();
    const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
    if (document.errors.length > 0) {
      return document.errors.map(({ pos: [start], message }) => ({ line: lines.linePos(start).line, message }));
    }
    try {
      return new YamlDocument(document.toJS(), document, lines);
    } catch (error) {
      return [{ line: 1, message: error instanceof Error ? error.message : String(error) }];
    }
  }

  /** Line of the value at the path, or of what should have it. */
  lineOf(path: readonly (string | number)[]): number {
    const node: unknown = path.length === 0 ? this.document.contents : this.document.getIn(path, true);
    if (isNode(node) && node.range) return this.lines.linePos(node.range[0]).line;
    return path.length === 0 ? 1 : this.lineOf(path.slice(0, -1));
  }
}
