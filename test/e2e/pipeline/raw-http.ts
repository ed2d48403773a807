import { connect, type Socket } from 'node:net';

export interface RawAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** A connection on which a test writes bytes that no HTTP client would. */
export class RawConnection {
  readonly #socket: Socket;
  #received = '';
  #ended = false;
  #wake: () => void = () => undefined;

  constructor(url: string) {
    const { hostname, port } = new URL(url);
    this.#socket = connect(Number(port), hostname);
    this.#socket.setEncoding('utf8');
    this.#socket.on('data', (chunk: string) => {
      this.#received += chunk;
      this.#wake();
    });
    // A server that refuses a request may reset the connection while the rest of it is being sent.
    this.#socket.on('error', () => undefined);
    this.#socket.on('close', () => {
      this.#ended = true;
      this.#wake();
    });
  }

  /** Resolves when the bytes are on their way, or the connection is gone. */
  write(data: string | Buffer): Promise<void> {
    return new Promise((resolve) => this.#socket.write(data, () => resolve()));
  }

  /** The next complete answer, without waiting for the end of the connection. */
  async answer(): Promise<RawAnswer> {
    for (;;) {
      const answer = parse(this.#received, this.#ended);
      if (answer !== undefined) return answer;
      if (this.#ended) throw new Error(`The connection ended after ${JSON.stringify(this.#received)}.`);
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  /** Leaves without a word, as a client that crashed. */
  destroy(): void {
    this.#socket.destroy();
  }
}

/** One request on a connection of its own. `head` is the request line and the headers, without Host. */
export async function raw(url: string, head: readonly string[], body: string | Buffer = ''): Promise<RawAnswer> {
  const connection = new RawConnection(url);
  void connection.write(`${[head[0], 'Host: localhost', ...head.slice(1)].join('\r\n')}\r\n\r\n`);
  void connection.write(body);
  try {
    return await connection.answer();
  } finally {
    connection.destroy();
  }
}

function parse(received: string, ended: boolean): RawAnswer | undefined {
  const end = received.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const [statusLine = '', ...lines] = received.slice(0, end).split('\r\n');
  const headers = Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
  );
  const body = received.slice(end + 4);
  if (!ended && Buffer.byteLength(body) < Number(headers['content-length'] ?? 0)) return undefined;
  return { status: Number(statusLine.split(' ')[1]), headers, body };
}
