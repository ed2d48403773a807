import { EventEmitter, once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface ReceivedRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  /** Parsed when it is JSON, else the text. */
  readonly body: unknown;
  /** The body as it came. */
  readonly text: string;
}

export type Reply = (response: ServerResponse, request: ReceivedRequest) => void;

/** A local HTTP server whose replies a test lines up; requests beyond them get the fallback. */
export class ScriptedServer {
  readonly requests: ReceivedRequest[] = [];
  /** Responses that the client stopped reading before their end. */
  abandoned = 0;
  readonly #replies: Reply[] = [];
  readonly #changes = new EventEmitter();
  readonly #server: Server;

  private constructor(fallback: Reply) {
    this.#server = createServer((incoming, response) => {
      void readText(incoming).then((text) => {
        const { method = '', url = '', headers } = incoming;
        const isJson = headers['content-type']?.includes('json') === true;
        const body = isJson ? (JSON.parse(text) as unknown) : text;
        const request = { method, path: url, headers, body, text };
        response.on('close', () => {
          if (!response.writableFinished && !cutByServer.has(response)) this.abandoned += 1;
          this.#changes.emit('change');
        });
        this.requests.push(request);
        (this.#replies.shift() ?? fallback)(response, request);
        this.#changes.emit('change');
      });
    });
  }

  static async start(fallback: Reply): Promise<ScriptedServer> {
    const scripted = new ScriptedServer(fallback);
    scripted.#server.listen(0, '127.0.0.1');
    await once(scripted.#server, 'listening');
    return scripted;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  next(...replies: Reply[]): void {
    this.#replies.push(...replies);
  }

  /** Resolves when the condition holds; looked at after every request and every closed response. */
  async until(condition: (server: ScriptedServer) => boolean): Promise<void> {
    while (!condition(this)) await once(this.#changes, 'change');
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

const cutByServer = new WeakSet<ServerResponse>();

/** Writes what is given, then drops the connection without ending the response. */
export function cut(response: ServerResponse, text: string): void {
  cutByServer.add(response);
  response.write(text, () => response.destroy());
}

export function sendJson(response: ServerResponse, status: number, body: unknown, headers = {}): void {
  response.writeHead(status, { 'Content-Type': 'application/json', ...headers }).end(JSON.stringify(body));
}

async function readText(incoming: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}
