/** A process that reads a file with a reader that never ends. Arguments: the reader, the file for its process id. */
const [reader, pidFile] = process.argv.slice(2);
const { SystemClock } = await import('../../src/kernel/time.js');
const { ProcessDocumentParser } = await import('../../src/platform/document-parser/index.js');
const { parserProgram } = await import('./parser.ts');
const settings = { memoryMb: 512, timeoutSeconds: 600, maxTextChars: 1000, maxUnpackedMb: 1 };
const parser = new ProcessDocumentParser(settings, new SystemClock(), { ...parserProgram, reader });
await parser.parse({ bytes: Buffer.from(pidFile), mediaType: 'text/csv' }, new AbortController().signal);
