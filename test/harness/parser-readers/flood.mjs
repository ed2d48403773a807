/** Reads more text than it was told that the parent takes. */
import { parentPort } from 'node:worker_threads';

parentPort.postMessage({ text: 'x'.repeat(50_000_000) });
