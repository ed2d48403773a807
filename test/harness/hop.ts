import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** A TCP hop in front of a service. Tests cut it to take the service away, and open it again on the same port. */
export class Hop {
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;
  #port = 0;

  constructor(private readonly target: URL) {}

  /** Returns the port of 127.0.0.1 to use instead of the service. */
  async open(): Promise<number> {
    const server = createServer((socket) => {
      const upstream = connect(Number(this.target.port), this.target.hostname);
      for (const end of [socket, upstream]) {
        this.#sockets.add(end);
        end.on('error', () => undefined).on('close', () => this.#sockets.delete(end));
      }
      socket.pipe(upstream).pipe(socket);
    });
    server.listen(this.#port, '127.0.0.1');
    await once(server, 'listening');
    this.#server = server;
    this.#port = (server.address() as AddressInfo).port;
    return this.#port;
  }

  /** Keeps the connections there are and lets nothing through them, until `resume`. */
  hang(): void {
    for (const socket of this.#sockets) socket.pause();
  }

  resume(): void {
    for (const socket of this.#sockets) socket.resume();
  }

  async cut(): Promise<void> {
    if (this.#server === undefined) return;
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server = undefined;
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }
}
