import { setTimeout as pause } from 'node:timers/promises';
import { codeOf, NoAnswer, type Client } from './client.js';
import type { Life } from './cluster.js';
import { EventText } from './event-text.js';
import type { Findings } from './findings.js';
import type { Random } from './random.js';

/** `leave` closes the connection in the middle; `background` does so, too, and wants the answer stored all the same. */
export type Manner = 'stream' | 'leave' | 'background' | 'single';

const HOW_OFTEN: Readonly<Record<Manner, number>> = { stream: 5, leave: 2, background: 2, single: 2 };

/** A question, and what its client was told. */
export interface Asked {
  readonly client: Client;
  readonly api: Life;
  readonly manner: Manner;
  readonly session: string;
  readonly message: string;
  readonly at: number;
  /** Failures of Redis until then. */
  readonly redisFailures: number;
  /** Known once the headers came. */
  runId: string | undefined;
  /** Whether the client was told that the question was taken. */
  accepted: boolean;
  /** What came of the stream. */
  stream: EventText | undefined;
  /** The answer, if it came. */
  answer: string | undefined;
  /** Error that the server told. */
  code: string | undefined;
}

/** A client that asks one question after the other, in sessions of its own. */
export class Conversation {
  readonly asked: Asked[] = [];
  #session = 0;

  constructor(
    private readonly client: Client,
    private readonly corpus: string,
    private readonly name: string,
    private readonly findings: Findings,
  ) {}

  async live(random: Random, going: () => boolean): Promise<void> {
    while (going()) {
      try {
        await this.#ask(random);
      } catch (error) {
        if (!(error instanceof NoAnswer)) throw error;
        this.findings.count(`questions: ${error.name}`);
      }
      await pause(random.int(0, 150));
    }
  }

  async #ask(random: Random): Promise<void> {
    const manner = random.pick(HOW_OFTEN);
    const patience = random.int(1, 8);
    const asked: Asked = {
      client: this.client,
      api: this.client.next(),
      manner,
      session: `${this.name}-${this.#session}`,
      message: `Question ${this.asked.length} of ${this.name}?`,
      at: Date.now(),
      redisFailures: this.client.cluster.outages.redis,
      runId: undefined,
      accepted: false,
      stream: undefined,
      answer: undefined,
      code: undefined,
    };
    this.asked.push(asked);
    if (manner === 'single') await this.#single(asked);
    else await this.#stream(asked, patience);
    const told = asked.code ?? (asked.answer === undefined ? 'left or broken' : 'answered');
    this.findings.count(`questions: ${told}`);
    // Whoever holds the session will let go of it only later.
    if (asked.code === 'SESSION_BUSY' || (asked.accepted && asked.answer === undefined)) this.#session += 1;
  }

  async #single(asked: Asked): Promise<void> {
    const reply = await this.client.call('POST', '/v1/run', this.#body(asked), asked.api as Life & { url: string });
    if (reply.status !== 200) {
      asked.code = codeOf(reply);
      return;
    }
    asked.runId = reply.body.data.run_id as string;
    asked.answer = reply.body.data.text as string;
    asked.accepted = true;
  }

  async #stream(asked: Asked, patience: number): Promise<void> {
    const { api, manner } = asked;
    const request = { method: 'POST', headers: this.client.headers, body: JSON.stringify(this.#body(asked)) };
    const stream = await EventText.open(`${api.url ?? ''}/v1/run`, request).catch((error: unknown) => {
      throw new NoAnswer('POST /v1/run', { cause: error });
    });
    asked.runId = stream.response.headers.get('x-run-id') ?? undefined;
    if (manner === 'stream' || stream.response.status !== 200) await stream.end();
    else if (await stream.until(({ frames }) => frames.length > patience)) stream.leave();
    if (stream.response.status !== 200) {
      asked.code = codeOf({ status: stream.response.status, body: JSON.parse(stream.text || '{}') as unknown });
      return;
    }
    asked.stream = stream;
    asked.answer = stream.find('message.final')?.text as string | undefined;
    asked.code = stream.find('error')?.code as string | undefined;
    // A stream that opens only to tell that the question could not be stored has not taken it.
    const accepted = stream.find('request.accepted');
    asked.accepted = accepted !== undefined && !(asked.code === 'DB_ERROR' && accepted.top_k_effective === 0);
  }

  #body({ manner, session, message }: Asked): object {
    return {
      session_id: session,
      corpus_id: this.corpus,
      message,
      ...(manner === 'single' ? { stream: false } : {}),
      ...(manner === 'background' ? { background: true } : {}),
    };
  }
}

/** Whether all places for answers of an API are free, and no more than there should be. */
export async function takeEverySlot(client: Client, api: Life, corpus: string, slots: number): Promise<void> {
  const open = (at: number): Promise<EventText> =>
    EventText.open(`${api.url ?? ''}/v1/run`, {
      method: 'POST',
      headers: client.headers,
      body: JSON.stringify({ session_id: `slot-${api.name}-${at}-${Date.now()}`, corpus_id: corpus, message: 'Free?' }),
    });
  const streams = await Promise.all(Array.from({ length: slots }, (_, at) => open(at)));
  const taken = await Promise.all(streams.map((stream) => stream.until(({ frames }) => frames.length > 0)));
  const further = await open(slots);
  await Promise.all([...streams, further].map((stream) => stream.end()));
  const statuses = streams.map(({ response }) => response.status);
  if (!taken.every(Boolean) || statuses.some((status) => status !== 200) || further.response.status !== 503) {
    throw new Error(`${api.name}: ${statuses.join()}, and one more: ${further.response.status}`);
  }
}
