/** The thread that reads the file: it may hang, crash or take all memory. */
import { parentPort, workerData } from 'node:worker_threads';
import { formatOf } from './formats.js';
import type { ReaderInput, ReaderOutput } from './protocol.js';
import { Unreadable } from './unreadable.js';

const input = workerData as ReaderInput;
// A library that cannot be loaded is no fault of the file: it ends the thread.
const format = await formatOf(input.mediaType);

/** Where it failed, without what the file says: messages of parsers quote it. */
function placeOf(error: unknown): string {
  if (!(error instanceof Error)) return typeof error;
  const frames = (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line));
  return [error.name, ...frames.slice(0, 4).map((frame) => frame.trim())].join(' ');
}

async function read(): Promise<ReaderOutput> {
  try {
    const text = await format(input);
    return text.trim() === '' ? { fault: 'blank' } : { text };
  } catch (error) {
    if (error instanceof Unreadable) return { fault: error.fault };
    return { fault: 'corrupt', detail: placeOf(error) };
  }
}

parentPort?.postMessage(await read());
