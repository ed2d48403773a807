import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';

/** A receiver that refuses some of its calls, checks every signature, and can go away and come back. */
export class WebhookReceiver {
  /** By `webhook-id`: what was answered, in order. */
  readonly answers = new Map<string, number[]>();
  accepted = 0;
  /** Calls whose signature did not fit. */
  forged = 0;
  #calls = 0;
  #server: Server;
  readonly #port: number;

  private constructor(
    private readonly secret: string,
    private readonly refuses: (call: number) => boolean,
    server: Server,
  ) {
    this.#server = this.#serve(server);
    this.#port = (server.address() as AddressInfo).port;
  }

  /** @param refuses whether the call, counted from 0, is answered with 500. */
  static async start(secret: string, refuses: (call: number) => boolean): Promise<WebhookReceiver> {
    return new WebhookReceiver(secret, refuses, await listening(0));
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}/hooks`;
  }

  get calls(): number {
    return this.#calls;
  }

  /** Hangs up on everybody, also in the middle of a call, and refuses connections. */
  async die(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }

  async revive(): Promise<void> {
    this.#server = this.#serve(await listening(this.#port));
  }

  #serve(server: Server): Server {
    return server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      const chunks: Buffer[] = [];
      request.on('error', () => undefined);
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => this.#answer(request, Buffer.concat(chunks).toString('utf8'), response));
    });
  }

  #answer({ headers }: IncomingMessage, body: string, response: ServerResponse): void {
    const status = this.refuses(this.#calls) ? 500 : 200;
    this.#calls += 1;
    try {
      new Webhook(this.secret).verify(body, headers as Record<string, string>);
    } catch {
      this.forged += 1;
    }
    const id = String(headers['webhook-id']);
    this.answers.set(id, [...(this.answers.get(id) ?? []), status]);
    if (status === 200) this.accepted += 1;
    response.writeHead(status).end();
  }
}

async function listening(port: number): Promise<Server> {
  const server = createServer();
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return server;
}
