import { once } from 'node:events';
import type { Response } from 'express';

/** A client that takes nothing for this long counts as gone. */
const STALL_MS = 60_000;

const HEADERS = { 'Content-Type': 'application/x-ndjson; charset=utf-8', 'Cache-Control': 'no-store' };

/**
 * Sends one JSON object a line, as fast as the client takes them and without keeping any; stops asking for more when the
 * client has gone. When `batches` fails after the first, the connection breaks, so that half a file cannot be taken for a
 * whole one.
 */
export async function sendLines<T>(
  response: Response,
  batches: AsyncIterable<readonly T[]>,
  lineOf: (item: T) => object,
): Promise<void> {
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  response.setTimeout(STALL_MS, () => response.destroy());
  for await (const batch of batches) {
    if (gone.signal.aborted || response.destroyed) return;
    if (!response.headersSent) response.writeHead(200, HEADERS);
    const text = batch.map((item) => `${JSON.stringify(lineOf(item))}\n`).join('');
    if (!response.write(text)) await once(response, 'drain', { signal: gone.signal }).catch(() => undefined);
  }
  if (!response.headersSent) response.writeHead(200, HEADERS);
  response.end();
}
