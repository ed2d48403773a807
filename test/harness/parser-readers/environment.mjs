/** Tells what it can see of the process that asked. */
import { parentPort } from 'node:worker_threads';

console.log('This must not become part of the text.');
parentPort.postMessage({ text: JSON.stringify(process.env) });
