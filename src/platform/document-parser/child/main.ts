/**
 * Entry of the process that reads one file. Its main thread does no reading: it guards the memory of the process while
 * a second thread reads, so neither a busy loop nor memory outside the JavaScript heap escapes. It reports once and
 * waits to be killed; it never outlives its parent, because the channel between them closes with either.
 */
import { Worker } from 'node:worker_threads';
import { SystemClock } from '../../../kernel/time.js';
import type { ParseReport, ParseRequest, ReaderInput, ReaderOutput } from './protocol.js';

const CHECK_EVERY_MS = 20;
const MIB = 1024 * 1024;
/** Of the memory: the engine must collect garbage before the process as a whole is over its limit. */
const HEAP_SHARE = 0.6;

const clock = new SystemClock();

process.on('disconnect', die);
// The parent decides when reading ends, also when a terminal interrupts both.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => undefined);
process.once('message', (request: ParseRequest) => void read(request));

async function read(request: ParseRequest): Promise<void> {
  guardMemory(request.memoryBytes);
  const { mediaType, maxTextChars, maxUnpackedBytes } = request;
  const input: ReaderInput = { bytes: await standardInput(), mediaType, maxTextChars, maxUnpackedBytes };
  const thread = new Worker(new URL(request.reader), {
    workerData: input,
    transferList: [input.bytes.buffer as ArrayBuffer],
    resourceLimits: { maxOldGenerationSizeMb: Math.floor((request.memoryBytes / MIB) * HEAP_SHARE) },
    // What libraries print does not mix with the text; nobody reads it.
    stdout: true,
    stderr: true,
  });
  thread.once('message', (output: ReaderOutput) => {
    thread.removeAllListeners('exit');
    deliver(output);
  });
  thread.once('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'ERR_WORKER_OUT_OF_MEMORY') report({ fault: 'memory' });
    else report({ fault: 'crash', detail: error.code ?? error.name });
  });
  thread.once('exit', () => report({ fault: 'crash' }));
}

function deliver(output: ReaderOutput): void {
  if ('text' in output) process.stdout.write(output.text, () => report({}));
  else report(output);
}

function guardMemory(limitBytes: number): void {
  const check = (): void => {
    if (process.memoryUsage.rss() > limitBytes) report({ fault: 'memory' });
    else clock.after(CHECK_EVERY_MS, check);
  };
  check();
}

let reported = false;

function report(outcome: ParseReport): void {
  if (reported) return;
  reported = true;
  // Without waiting for the reading thread, which may not stop by itself.
  process.send?.(outcome, undefined, undefined, die);
}

function die(): void {
  process.kill(process.pid, 'SIGKILL');
}

async function standardInput(): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  // A copy with a buffer of its own, which can be handed over to the reading thread.
  return Uint8Array.from(Buffer.concat(chunks));
}
