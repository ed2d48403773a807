import { fileURLToPath } from 'node:url';
import { loadSettings } from '../../src/kernel/settings.js';
import { SystemClock, type Clock } from '../../src/kernel/time.js';
import {
  documentParserSettings,
  ProcessDocumentParser,
  type DocumentParserSettings,
  type ParserProgram,
} from '../../src/platform/document-parser/index.js';

const child = new URL('../../src/platform/document-parser/child/', import.meta.url);

/** The program of the parser, from the sources instead of the build. */
export const parserProgram: ParserProgram = {
  main: fileURLToPath(new URL('main.ts', child)),
  reader: new URL('reader.ts', child).href,
  execArgv: ['--import', new URL('./typescript.mjs', import.meta.url).href],
};

/** The parser as it is, in processes of its own. */
export function testParser(settings: DocumentParserSettings, clock: Clock): ProcessDocumentParser {
  return new ProcessDocumentParser(settings, clock, parserProgram);
}

/** Reads one file with the parser as it is. @param env settings that differ from their defaults. */
export function parseFile(
  bytes: Uint8Array | string,
  mediaType: string,
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  const settings = loadSettings(env, [documentParserSettings]).get(documentParserSettings);
  const parser = testParser(settings, new SystemClock());
  return parser.parse({ bytes: Buffer.from(bytes), mediaType }, new AbortController().signal);
}
