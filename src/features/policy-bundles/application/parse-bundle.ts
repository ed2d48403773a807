import { Composer, Lexer, Parser, type CST, type Document } from 'yaml';
import { bundleOf, refusedBundle, type BundleResult } from '../domain/bundle.js';

/** Bytes, also as a JSON string. A receipt contains the text of the bundle, and is itself limited. */
export const MAX_BUNDLE_BYTES = 64 * 1024;
const TOO_LARGE = `must not be larger than ${MAX_BUNDLE_BYTES / 1024} KB`;
/** Collections inside each other: composing calls itself for each, and a process whose stack ends there may not survive. */
const MAX_DEPTH = 40;
/** Of one list or map: its keys are compared pair by pair. */
const MAX_ENTRIES = 500;

/**
 * A bundle from YAML, or from JSON, which is YAML. Aliases and tags are refused: they make much of little text. What a
 * text costs is bounded before it is composed.
 */
export function parseBundle(yaml: string): BundleResult {
  if (Buffer.byteLength(yaml) > MAX_BUNDLE_BYTES) return refuse(TOO_LARGE);
  const tokens = tokensOf(yaml);
  if (tokens === undefined) {
    return refuse(
      `must not be nested deeper than ${MAX_DEPTH} levels, or have more than ${MAX_ENTRIES} entries in one list or map`,
    );
  }
  if (Buffer.byteLength(JSON.stringify(yaml)) > MAX_BUNDLE_BYTES) return refuse(`${TOO_LARGE} as a JSON string`);
  const [document, ...more] = new Composer({ schema: 'core', resolveKnownTags: false }).compose(tokens, true);
  if (document === undefined || more.length > 0) return refuse('must be one document');
  const fault = faultOf(document, yaml);
  if (fault !== undefined) return refuse(fault);
  try {
    return bundleOf(document.toJS({ maxAliasCount: 0 }), yaml);
  } catch {
    return refuse('must not use aliases');
  }
}

/** Undefined when there is too much of it. Neither lexer nor parser calls itself. */
function tokensOf(yaml: string): CST.Token[] | undefined {
  const parser = new Parser();
  const tokens: CST.Token[] = [];
  for (const lexeme of new Lexer().lex(yaml)) {
    tokens.push(...parser.next(lexeme));
    const open = parser.stack.at(-1);
    const entries = open !== undefined && 'items' in open ? open.items.length : 0;
    if (parser.stack.length > MAX_DEPTH || entries > MAX_ENTRIES) return undefined;
  }
  tokens.push(...parser.end());
  return tokens;
}

/** With the line, and never the text, that it is about: that may be long. */
function faultOf({ errors, warnings }: Document.Parsed, yaml: string): string | undefined {
  const [fault] = [...errors, ...warnings];
  if (fault === undefined) return undefined;
  const line = yaml.slice(0, Math.max(0, fault.pos[0])).split('\n').length;
  return `cannot be read: line ${line}: ${fault.message}`;
}

function refuse(what: string): BundleResult {
  return refusedBundle(`The bundle ${what}`);
}
