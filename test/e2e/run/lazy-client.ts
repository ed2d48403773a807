import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import type { Stage } from './stage.js';

/** A client that sends a request of the stage's reader and reads no more than the first bytes of the answer. */
export class LazyClient {
  private constructor(
    readonly socket: Socket,
    /** Most bytes that the server held for it at once. */
    readonly buffer: { most: number },
    /** Resolves when the server lets go of it. */
    readonly closed: Promise<unknown>,
  ) {}

  static async send({ app, reader }: Stage, method: string, path: string, body?: object): Promise<LazyClient> {
    const server = app.app.nest.getHttpServer() as NodeJS.EventEmitter;
    const arrived = once(server, 'request') as Promise<[unknown, ServerResponse]>;
    const { port, hostname } = new URL(app.url);
    const socket = connect(Number(port), hostname);
    const json = body === undefined ? '' : JSON.stringify(body);
    socket.write(
      `${method} ${path} HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n` +
        `Authorization: Bearer ${reader.token}\r\nContent-Length: ${json.length}\r\n\r\n${json}`,
    );
    const [, response] = await arrived;
    const client = new LazyClient(socket, watch(response), once(response, 'close'));
    await once(socket, 'readable');
    return client;
  }
}

function watch(response: ServerResponse): { most: number } {
  const buffer = { most: 0 };
  const write = response.write.bind(response) as (chunk: string) => boolean;
  response.write = ((chunk: string) => {
    const kept = write(chunk);
    buffer.most = Math.max(buffer.most, response.writableLength);
    return kept;
  }) as ServerResponse['write'];
  return buffer;
}
