import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from '@jest/globals';
import { parserProgram } from '../../../test/harness/parser.js';
import { until } from '../../../test/harness/until.js';
import { isAppError } from '../../kernel/errors.js';
import { loadSettings } from '../../kernel/settings.js';
import { SystemClock } from '../../kernel/time.js';
import { documentParserSettings } from './document-parser.settings.js';
import { ProcessDocumentParser, type ParserProgram } from './process-document-parser.js';

const folder = mkdtempSync(join(tmpdir(), 'nexusrag-parser-'));
afterAll(() => rmSync(folder, { recursive: true }));

const harness = new URL('../../../test/harness/', import.meta.url);
const readerOf = (name: string): string => new URL(`parser-readers/${name}.mjs`, harness).href;
const never = new AbortController().signal;

function parser(env: Record<string, string> = {}, program: Partial<ParserProgram> = {}): ProcessDocumentParser {
  const settings = loadSettings(env, [documentParserSettings]).get(documentParserSettings);
  return new ProcessDocumentParser(settings, new SystemClock(), { ...parserProgram, ...program });
}

const csv = (content: string) => ({ bytes: Buffer.from(content), mediaType: 'text/csv' });

/** Where a reader that never ends leaves the id of its process. */
function pidFile(name: string): { path: string; started: () => boolean; pid: () => number } {
  const path = join(folder, name);
  const read = (): string => (existsSync(path) ? readFileSync(path, 'utf8') : '');
  return { path, started: () => read() !== '', pid: () => Number(read()) };
}

/** A process that has ended and that nobody asked about is no longer alive. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/\) Z /.test(existsSync('/proc') ? readFileSync(`/proc/${pid}/stat`, 'utf8') : '');
  } catch {
    return false;
  }
}

describe('a file that is read', () => {
  it('becomes text, also several at once', async () => {
    const texts = ['a,b', 'c;d', 'e\tf'].map((content) => parser().parse(csv(content), never));
    expect(await Promise.all(texts)).toEqual(['a | b', 'c | d', 'e | f']);
  });

  // Files come from customers' customers: what takes over a parser must find no keys in it.
  it('is read by a process that sees no environment, and whose output is only the text', async () => {
    const text = await parser({}, { reader: readerOf('environment') }).parse(csv('x'), never);
    expect(JSON.parse(text)).toEqual({});
  });
});

describe('a process that cannot be started', () => {
  // To signal a process that never was is to signal one's own group: the server would take itself down.
  it('fails the attempt and nothing else', async () => {
    await expect(parser({}, { execPath: '/nowhere/node' }).parse(csv('a'), never)).rejects.toThrow('ENOENT');
    expect(await parser().parse(csv('a,b'), never)).toBe('a | b');
  });
});

describe('a reader that misbehaves', () => {
  it.each([
    ['takes memory of the engine', 'hoard-objects', 'FILE_TOO_LARGE', 'The file needs more memory than'],
    ['takes memory outside of the engine', 'hoard-buffers', 'FILE_TOO_LARGE', 'The file needs more memory than'],
    ['is ended by the engine', 'crash', 'FILE_TOO_LARGE', 'The file needs more memory than'],
    ['returns more than it may', 'flood', 'FILE_TOO_LARGE', 'The file holds more than'],
  ])('that %s fails the file', async (_what, name, code, message) => {
    const env = { PARSER_MEMORY_MB: '300', PARSER_MAX_TEXT_CHARS: '1000' };
    const parsed = parser(env, { reader: readerOf(name) }).parse(csv('x'), never);
    await expect(parsed).rejects.toMatchObject({ code, message: expect.stringContaining(message) });
  });

  it('that never ends fails the file after the time, and is gone', async () => {
    const { path, pid } = pidFile('timeout');
    const parsed = parser({ PARSER_TIMEOUT_S: '3' }, { reader: readerOf('loop') }).parse(csv(path), never);
    await expect(parsed).rejects.toMatchObject({
      code: 'FILE_TIMEOUT',
      message: 'Reading the file took longer than 3 s. Simplify or split it.',
    });
    expect(isAlive(pid())).toBe(false);
  });

  it('is gone when the caller aborts', async () => {
    const { path, started, pid } = pidFile('abort');
    const controller = new AbortController();
    const parsed = parser({}, { reader: readerOf('loop') }).parse(csv(path), controller.signal);
    await until(started);
    expect(isAlive(pid())).toBe(true);
    controller.abort(new Error('enough'));
    await expect(parsed).rejects.toThrow('enough');
    expect(isAlive(pid())).toBe(false);
  });

  // A worker that is killed restarts: readers that outlive it would pile up until the machine has no memory.
  it('is gone when the process that asked is killed', async () => {
    const { path, started, pid } = pidFile('orphan');
    const script = fileURLToPath(new URL('parse-and-wait.mjs', harness));
    const parent = spawn(process.execPath, [...parserProgram.execArgv, script, readerOf('loop'), path]);
    await until(started);
    expect(isAlive(pid())).toBe(true);
    parent.kill('SIGKILL');
    await until(() => !isAlive(pid()));
  });

  it.each([
    ['a reader that cannot be loaded', { reader: readerOf('missing') }],
    ['a reader that leaves without a word', { reader: readerOf('leave') }],
    ['a process that does not start', { main: join(folder, 'missing.mjs') }],
  ])('%s is no fault of the file: another attempt may mend it', async (_what, program) => {
    const error: unknown = await parser({}, program)
      .parse(csv('x'), never)
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(Error);
    expect(isAppError(error)).toBe(false);
  });
});

it('starts nothing for a caller that has aborted', async () => {
  const aborted = AbortSignal.abort(new Error('never mind'));
  await expect(parser({}, { main: join(folder, 'missing.mjs') }).parse(csv('x'), aborted)).rejects.toThrow(
    'never mind',
  );
});
