import { Agent, request } from 'node:http';
import { TOKENS } from './product.js';

/** One streamed answer as its client saw it, in ms from sending the question. */
export interface StreamTimes {
  readonly firstToken: number;
  readonly end: number;
}

export interface StreamTarget {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: (question: string) => object;
}

/** Clients that each ask one question after the other, and read every answer to its end. */
export async function askInParallel(
  target: StreamTarget,
  load: { readonly clients: number; readonly answers: number; readonly question: (at: number) => string },
): Promise<StreamTimes[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: load.clients });
  const times: StreamTimes[] = [];
  let asked = 0;
  const client = async (): Promise<void> => {
    while (asked < load.answers) times.push(await ask(target, load.question((asked += 1)), agent));
  };
  try {
    await Promise.all(Array.from({ length: load.clients }, client));
  } finally {
    agent.destroy();
  }
  return times;
}

/** @throws Error for an answer that is not complete: its times would flatter. */
function ask(target: StreamTarget, question: string, agent: Agent): Promise<StreamTimes> {
  const started = performance.now();
  return new Promise((resolve, reject) => {
    const headers = { 'Content-Type': 'application/json', ...target.headers };
    const sent = request(target.url, { method: 'POST', agent, headers }, (response) => {
      let firstToken: number | undefined;
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (data: string) => {
        text += data;
        if (firstToken === undefined && text.includes('token.delta')) firstToken = performance.now() - started;
      });
      response.on('error', reject);
      response.on('end', () => {
        const said = [...text.matchAll(/"delta":"([^"]*)"/g)].map(([, delta = '']) => delta).join('');
        const complete = said.split(' ').filter((token) => token === 'token').length === TOKENS;
        if (complete && firstToken !== undefined) resolve({ firstToken, end: performance.now() - started });
        else reject(new Error(`A stream was answered ${response.statusCode}: ${text.slice(-500)}`));
      });
    });
    sent.on('error', reject);
    sent.end(JSON.stringify(target.body(question)));
  });
}
