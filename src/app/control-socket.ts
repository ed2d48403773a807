import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import type { Log } from '../kernel/log.js';
import type { Clock } from '../kernel/time.js';

/*
 * The embedded database admits one process. While the server holds it, commands reach it through this socket: one
 * connection, one line of JSON each way. Whoever may open the socket file may do everything, so only the owner may:
 * the file is made with mode 0600.
 *
 * The file lives in the data folder. Where that cannot be, because its path exceeds what the system takes for a
 * socket (104 bytes on macOS, 108 on Linux) or the file system has no sockets, it lives in a private temporary
 * folder, and a file in the data folder says where.
 */

export const controlRequest = z.strictObject({ command: z.string().max(64), args: z.record(z.string(), z.unknown()) });
export type ControlRequest = z.output<typeof controlRequest>;

export const controlResponse = z.discriminatedUnion('ok', [
  z.object({ ok: z.literal(true), result: z.unknown() }),
  z.object({ ok: z.literal(false), code: z.string(), message: z.string(), exitCode: z.int() }),
]);
export type ControlResponse = z.output<typeof controlResponse>;

/** The part of a data folder that the socket needs. */
export interface ControlFolder {
  readonly path: string;
  readonly controlSocketPath: string;
}

const MAX_PATH_BYTES = 100;
const MAX_REQUEST_BYTES = 64 * 1024;
const REQUEST_TIMEOUT_MS = 5000;

const pointerPath = ({ path }: ControlFolder): string => join(path, 'control-socket-path');

/** Where a running server would listen. */
export function controlAddress(folder: ControlFolder): string {
  try {
    return readFileSync(pointerPath(folder), 'utf8').trim();
  } catch {
    return folder.controlSocketPath;
  }
}

interface ControlSocketParts {
  /** Never rejects. */
  readonly execute: (request: ControlRequest) => Promise<ControlResponse>;
  readonly clock: Clock;
  readonly log: Log;
}

export class ControlSocket {
  readonly #server: Server;
  readonly #waiting = new Set<Socket>();
  readonly #running = new Set<Promise<void>>();
  #temporaryFolder: string | undefined;

  private constructor(
    private readonly folder: ControlFolder,
    private readonly parts: ControlSocketParts,
  ) {
    // Half open: the command's end of sending must not end the answer.
    this.#server = createServer({ allowHalfOpen: true }, (socket) => this.#serve(socket));
  }

  /** Listens in a folder that this process has locked, so that any socket file found there is a dead one's. */
  static async open(folder: ControlFolder, parts: ControlSocketParts): Promise<ControlSocket> {
    const socket = new ControlSocket(folder, parts);
    await socket.#open();
    return socket;
  }

  /** Takes no more commands, waits for the running ones and removes the files. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#waiting) socket.destroy();
    await Promise.all(this.#running);
    await closed;
    this.#removeFiles();
  }

  async #open(): Promise<void> {
    this.#removeFiles();
    const path = this.folder.controlSocketPath;
    if (Buffer.byteLength(path) <= MAX_PATH_BYTES && (await this.#listens(path))) return;
    this.#temporaryFolder = mkdtempSync(join(tmpdir(), 'nexusrag-control-'));
    const temporary = join(this.#temporaryFolder, 'control.sock');
    await listen(this.#server, temporary);
    writeFileSync(pointerPath(this.folder), `${temporary}\n`, { mode: 0o600 });
  }

  async #listens(path: string): Promise<boolean> {
    try {
      await listen(this.#server, path);
      return true;
    } catch (error) {
      this.parts.log.debug({ err: error }, 'The data folder takes no socket; using a temporary folder');
      return false;
    }
  }

  #removeFiles(): void {
    const address = controlAddress(this.folder);
    if (address !== this.folder.controlSocketPath) removeStaleTemporary(address);
    for (const path of [this.folder.controlSocketPath, pointerPath(this.folder)]) rmSync(path, { force: true });
    if (this.#temporaryFolder !== undefined) rmSync(this.#temporaryFolder, { recursive: true, force: true });
  }

  #serve(socket: Socket): void {
    this.#waiting.add(socket);
    const timer = this.parts.clock.after(REQUEST_TIMEOUT_MS, () => socket.destroy());
    let received = Buffer.alloc(0);
    const take = (chunk: Buffer): void => {
      received = Buffer.concat([received, chunk]);
      const end = received.indexOf('\n');
      if (end === -1 && received.length <= MAX_REQUEST_BYTES) return;
      socket.off('data', take);
      socket.resume();
      timer.cancel();
      this.#waiting.delete(socket);
      const line = end === -1 || end > MAX_REQUEST_BYTES ? undefined : received.subarray(0, end).toString('utf8');
      const run = this.#answer(socket, line).finally(() => this.#running.delete(run));
      this.#running.add(run);
    };
    socket.on('data', take);
    socket.on('end', () => this.#waiting.has(socket) && socket.end());
    socket.on('error', () => undefined);
    socket.on('close', () => {
      timer.cancel();
      this.#waiting.delete(socket);
    });
  }

  async #answer(socket: Socket, line: string | undefined): Promise<void> {
    const request = line === undefined ? undefined : parseRequest(line);
    const response = request === undefined ? MALFORMED : await this.parts.execute(request);
    if (socket.destroyed) return;
    await new Promise<void>((resolve) => {
      socket.once('close', resolve);
      socket.end(`${JSON.stringify(response)}\n`, () => socket.destroy());
    });
  }
}

const MALFORMED: ControlResponse = {
  ok: false,
  code: 'MALFORMED_REQUEST',
  message: `Send one line of JSON with command and args, at most ${MAX_REQUEST_BYTES} bytes.`,
  exitCode: 2,
};

function parseRequest(line: string): ControlRequest | undefined {
  try {
    return controlRequest.parse(JSON.parse(line));
  } catch {
    return undefined;
  }
}

/** The mask holds from the file's first moment on: the socket is bound before `listen` returns. */
function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    const mask = process.umask(0o177);
    try {
      server.listen(path, () => {
        server.off('error', reject);
        resolve();
      });
    } finally {
      process.umask(mask);
    }
  });
}

/** Removes only what has the shape of our own temporary folders, whatever the pointer file says. */
function removeStaleTemporary(address: string): void {
  const folder = dirname(address);
  if (dirname(folder) === tmpdir() && folder.startsWith(join(tmpdir(), 'nexusrag-control-'))) {
    rmSync(folder, { recursive: true, force: true });
  }
}
