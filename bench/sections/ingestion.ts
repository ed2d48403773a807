import pg from 'pg';
import { setTimeout as pause } from 'node:timers/promises';
import { median } from '../statistics.js';
import type { Bench, Section } from '../rig/bench.js';
import { privateDatabase } from '../rig/corpus-database.js';
import { CORPUS } from '../rig/corpus-loader.js';
import { Inside } from '../rig/inside.js';
import { migrate, productEnvironment, startApi, startWorker } from '../rig/product.js';
import { interleaved } from '../rig/rounds.js';
import { SyntheticText } from '../rig/text.js';
import { BareInsertion } from '../bare/insertion.js';

/** Makes about 50 passages. */
const DOCUMENT_CHARACTERS = 41_000;

/** (d) What a document costs beyond storing its rows. */
export const ingestion: Section = {
  id: 'ingestion',
  title: 'Ingestion',
  method:
    'Documents of about 50 passages, sent to `POST /v1/documents/text` four at a time, from the first request until ' +
    'the last one can be searched; one API and one worker process. Against one connection that inserts the same ' +
    'passages, terms and vectors, made beforehand, into the same tables of a database of its own, 100 passages to a ' +
    'transaction; both indexes grow alike.',

  async run(bench) {
    const { env, url, token } = await database(bench);
    const [api, worker] = [startApi(bench, env), await startWorker(bench, env)];
    const sender = new Sender(await api.url(), token, await systemClient(bench, url));
    const bare = new BareInsertion(
      await systemClient(bench, url),
      await systemClient(bench, (await database(bench)).url),
    );
    const documents = bench.size(24, 3);
    const insertAgain = async ({ documents: ids }: Sent): Promise<number> => {
      await bare.read(ids);
      return bare.insert();
    };
    await insertAgain(await sender.send(bench.size(8, 2)));
    const idle = worker.residentMb();
    let sent = await sender.send(documents);
    const rounds = await interleaved(
      bench.rounds,
      () => insertAgain(sent),
      async () => {
        sent = await sender.send(documents);
        return sent.passages / sent.seconds;
      },
    );
    return {
      rows: [
        {
          label: 'passages a second',
          unit: '/s',
          better: 'higher',
          product: median(rounds.product),
          baseline: median(rounds.baseline),
          goal: { of: 'ratio', sign: '≥', limit: 0.5 },
        },
        { label: 'memory of the worker, highest', unit: 'MB', better: 'lower', product: worker.peakMb() },
        { label: 'memory of the worker after its first documents', unit: 'MB', better: 'lower', product: idle },
      ],
      notes: [`Medians of ${bench.rounds} rounds of ${documents} documents with ${sent.passages} passages in all.`],
    };
  },
};

const TENANT = 'sender';

/** A database of its own with an empty corpus of the tenant. */
async function database(bench: Bench): Promise<{ url: string; env: Record<string, string>; token: string }> {
  const url = await privateDatabase(bench);
  const env = productEnvironment(bench, url);
  await migrate(env);
  const inside = await Inside.open(env);
  const token = await inside.key(TENANT);
  await inside.call(token, '/v1/corpora', { id: CORPUS, name: 'Library' });
  await inside.close();
  return { url, env, token };
}

interface Sent {
  readonly documents: readonly string[];
  readonly passages: number;
  readonly seconds: number;
}

/** Sends documents and waits for them. */
class Sender {
  readonly #text = new SyntheticText(4);
  #sent = 0;

  constructor(
    private readonly url: string,
    private readonly token: string,
    private readonly client: pg.Client,
  ) {}

  async send(count: number): Promise<Sent> {
    const bodies = Array.from({ length: count }, () => ({ id: `d${(this.#sent += 1)}`, text: this.#document() }));
    const ids = bodies.map(({ id }) => id);
    const started = performance.now();
    const queue = [...bodies];
    const send = async (): Promise<void> => {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) await this.#post(next.id, next.text);
    };
    await Promise.all(Array.from({ length: 4 }, send));
    while (!(await this.#done(ids))) await pause(20);
    const seconds = (performance.now() - started) / 1000;
    const { rows } = await this.client.query<{ passages: number }>(
      'SELECT count(*)::int AS passages FROM chunks WHERE document_id = ANY ($1)',
      [ids],
    );
    return { documents: ids, passages: rows[0]?.passages ?? 0, seconds };
  }

  #document(): string {
    const paragraphs: string[] = [];
    for (let length = 0; length < DOCUMENT_CHARACTERS; length += paragraphs.at(-1)?.length ?? 0) {
      paragraphs.push(this.#text.passage(this.#text.between(60, 140)));
    }
    return paragraphs.join('\n\n');
  }

  async #post(id: string, text: string): Promise<void> {
    const response = await fetch(`${this.url}/v1/documents/text`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${this.token}`, 'Content-Type': 'application/json' },
      body: JSON.stringify({ corpus_id: CORPUS, document_id: id, text }),
    });
    if (response.status !== 202)
      throw new Error(`A document was answered ${response.status}: ${await response.text()}`);
    await response.arrayBuffer();
  }

  async #done(ids: readonly string[]): Promise<boolean> {
    const { rows } = await this.client.query<{ status: string; documents: number }>(
      'SELECT status, count(*)::int AS documents FROM documents WHERE id = ANY ($1) GROUP BY status',
      [ids],
    );
    const of = (status: string): number => rows.find((row) => row.status === status)?.documents ?? 0;
    if (of('failed') > 0) throw new Error('A document was not ingested.');
    return of('succeeded') === ids.length;
  }
}

/** Sees the rows of every tenant. */
async function systemClient(bench: Bench, url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query('SET ROLE nexusrag_system');
  bench.onClose(() => client.end());
  return client;
}
