import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Clock, Timer } from '../../kernel/time.js';
import type { Fault, ParseReport, ParseRequest } from './child/protocol.js';
import { DocumentParser, type ParsedFile } from './document-parser.js';
import { documentParserErrors } from './document-parser.errors.js';
import type { DocumentParserSettings } from './document-parser.settings.js';
import { describeType } from './file-types.js';

const MIB = 1024 * 1024;
/** Bytes that one UTF-16 unit of text takes in UTF-8 at most. */
const BYTES_PER_CHAR = 3;

/** What the child process runs. Tests name programs that misbehave. */
export interface ParserProgram {
  /** File of the entry point. */
  readonly main: string;
  /** URL of the module that reads the file, in a thread of the child. */
  readonly reader: string;
  readonly execArgv: readonly string[];
  /** What runs it; this Node by default. */
  readonly execPath?: string;
}

const PROGRAM: ParserProgram = {
  main: fileURLToPath(new URL('./child/main.js', import.meta.url)),
  reader: new URL('./child/reader.js', import.meta.url).href,
  execArgv: [],
};

/**
 * Reads each file in a process of its own, which is killed when the file is read, takes too long or too much memory,
 * when the caller aborts, and with this process. It does not inherit the environment,
 * which holds the secrets.
 */
export class ProcessDocumentParser extends DocumentParser {
  constructor(
    private readonly settings: DocumentParserSettings,
    private readonly clock: Clock,
    private readonly program: ParserProgram = PROGRAM,
  ) {
    super();
  }

  async parse(file: ParsedFile, signal: AbortSignal): Promise<string> {
    signal.throwIfAborted();
    const { main, execArgv, execPath = process.execPath } = this.program;
    const child = fork(main, [], {
      execPath,
      execArgv: [...execArgv],
      env: {},
      stdio: ['pipe', 'pipe', 'ignore', 'ipc'],
    });
    // Without descriptors or processes to spare; to signal a process that never was would signal our own group.
    if (child.pid === undefined) throw await failureOf(child);
    const reading = new Reading(child, file, this.settings.maxTextChars * BYTES_PER_CHAR);
    const abort = (): void => reading.stop(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    const timer = this.#limitTime(reading);
    try {
      reading.begin(this.#request(file));
      return await reading.text;
    } finally {
      timer.cancel();
      signal.removeEventListener('abort', abort);
      child.kill('SIGKILL');
    }
  }

  #request({ mediaType }: ParsedFile): ParseRequest {
    const { memoryMb, maxTextChars, maxUnpackedMb } = this.settings;
    return {
      reader: this.program.reader,
      mediaType,
      memoryBytes: memoryMb * MIB,
      maxTextChars,
      maxUnpackedBytes: maxUnpackedMb * MIB,
    };
  }

  #limitTime(reading: Reading): Timer {
    const { timeoutSeconds } = this.settings;
    const message = `Reading the file took longer than ${timeoutSeconds} s. Simplify or split it.`;
    return this.clock.after(timeoutSeconds * 1000, () => reading.stop(documentParserErrors.FILE_TIMEOUT({ message })));
  }
}

function failureOf(child: ChildProcess): Promise<Error> {
  return new Promise((resolve) => child.once('error', resolve));
}

/** The child process at work on one file. */
class Reading {
  /** Settles when the process and its pipes are gone. */
  readonly text: Promise<string>;
  readonly #chunks: Buffer[] = [];
  #received = 0;
  #report: ParseReport | undefined;
  /** Why it was killed; whatever it reported before does not count. */
  #stopped: { readonly reason: unknown } | undefined;

  constructor(
    private readonly child: ChildProcess,
    private readonly file: ParsedFile,
    private readonly maxBytes: number,
  ) {
    child.on('message', (report: ParseReport) => (this.#report = report));
    child.stdout?.on('data', (chunk: Buffer) => this.#receive(chunk));
    // A process that ends early reads no further, which its exit tells better.
    child.stdin?.on('error', () => undefined);
    this.text = new Promise((resolve, reject) => {
      child.on('error', (error) => {
        // Also raised when a message or the kill fails; only a process that never was has no pid.
        if (child.pid === undefined) reject(error);
      });
      child.once('close', (code, signal) => {
        try {
          resolve(this.#outcome(code, signal));
        } catch (error) {
          reject(error instanceof Error ? error : new Error('Reading was stopped.', { cause: error }));
        }
      });
    });
  }

  begin(request: ParseRequest): void {
    this.child.send(request, () => undefined);
    this.child.stdin?.end(this.file.bytes);
  }

  stop(reason: unknown): void {
    this.#stopped ??= { reason };
    this.child.kill('SIGKILL');
  }

  #receive(chunk: Buffer): void {
    this.#received += chunk.length;
    if (this.#received > this.maxBytes) this.stop(documentParserErrors.FILE_TOO_LARGE());
    else this.#chunks.push(chunk);
  }

  #outcome(code: number | null, signal: NodeJS.Signals | null): string {
    if (this.#stopped !== undefined) throw this.#stopped.reason;
    if (this.#report !== undefined && this.#report.fault === undefined) {
      return Buffer.concat(this.#chunks, this.#received).toString('utf8');
    }
    if (this.#report === undefined) {
      if (signal !== null && OUT_OF_MEMORY.includes(signal)) throw errorOf('memory', this.file.mediaType);
      throw new Error(`The parser process ended with ${signal ?? code ?? 'nothing'}.`);
    }
    const { fault, detail } = this.#report;
    const cause = detail === undefined ? undefined : new Error(detail);
    if (fault === 'crash') throw new Error('The parser failed.', { cause });
    throw errorOf(fault, this.file.mediaType, cause);
  }
}

/** How the engine ends a process that it can give no more memory. */
const OUT_OF_MEMORY: readonly NodeJS.Signals[] = ['SIGABRT', 'SIGTRAP', 'SIGILL'];

function errorOf(fault: Fault, mediaType: string, cause?: unknown): Error {
  const { FILE_CORRUPT, FILE_ENCRYPTED, FILE_TOO_LARGE, FILE_WITHOUT_TEXT } = documentParserErrors;
  if (fault === 'encrypted') return FILE_ENCRYPTED({ cause });
  if (fault === 'blank') return FILE_WITHOUT_TEXT({ cause });
  if (fault === 'corrupt') {
    const message = `The file is not a readable ${describeType(mediaType)}: it is damaged, cut short, or of another type than declared.`;
    return FILE_CORRUPT({ message, cause });
  }
  const excess = { memory: 'needs more memory', text: 'holds more text', unpacked: 'unpacks to more' }[fault];
  return FILE_TOO_LARGE({ message: `The file ${excess} than one document may. Split it and send the parts.`, cause });
}
