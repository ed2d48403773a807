import { setTimeout as pause } from 'node:timers/promises';
import { codeOf, NoAnswer, type Client, type Reply } from './client.js';
import type { Findings } from './findings.js';
import type { Random } from './random.js';

/** One text that was sent for a document. Each of its sentences has the word that no other text has. */
export interface Version {
  readonly word: string;
  readonly text: string;
  readonly chunkSize: number;
}

type Move = 'send' | 'reindex' | 'delete' | 'look';

const HOW_OFTEN: Readonly<Record<Move, number>> = { send: 6, reindex: 2, delete: 1.5, look: 2 };
const SIZES = { small: 7, middle: 2, large: 1 } as const;
const CHUNKS = { small: [1, 8], middle: [9, 50], large: [120, 200] } as const;

/** Refusals that change nothing, and that the state of things explains. */
const UNCHANGED = new Set([
  'AUTH_UNAVAILABLE',
  'SERVICE_BUSY',
  'CONFLICT',
  'INGEST_IN_PROGRESS',
  'BLOB_STORE_UNAVAILABLE',
]);
/** Refusals after which the change may have been made all the same. */
const UNCERTAIN = new Set(['SERVICE_UNAVAILABLE', 'DB_ERROR']);

/** A client that sends, reindexes and deletes one document, one request at a time, and what it may believe. */
export class DocumentStory {
  readonly versions: Version[] = [];
  /** What the document may hold now; null is its absence. */
  readonly possible = new Set<Version | null>([null]);

  constructor(
    readonly client: Client,
    readonly corpus: string,
    readonly id: string,
    private readonly findings: Findings,
  ) {}

  async live(random: Random, going: () => boolean): Promise<void> {
    while (going()) {
      const move = this.versions.length === 0 ? 'send' : random.pick(HOW_OFTEN);
      const patient = random.fraction() < 0.6;
      try {
        await this.#make(move, random);
        if (patient) await this.#watch(going);
      } catch (error) {
        if (!(error instanceof NoAnswer)) throw error;
        this.findings.count(`documents: ${error.name}`);
      }
      await pause(random.int(0, 250));
    }
  }

  /** Until the document is ingested, as a client does that wants to change it again. */
  async #watch(going: () => boolean): Promise<void> {
    while (going()) {
      const { body } = await this.client.call('GET', `/v1/documents/${this.id}`);
      if (['succeeded', 'failed'].includes(body?.data?.status as string)) return;
      await pause(80);
    }
  }

  async #make(move: Move, random: Random): Promise<void> {
    const path = `/v1/documents/${this.id}`;
    if (move === 'look') {
      const reply = await this.client.call('GET', path);
      return reply.status === 200 ? undefined : this.#refused(reply, undefined);
    }
    if (move === 'send') return this.#send(random);
    const [method, suffix] = move === 'delete' ? ['DELETE', ''] : ['POST', '/reindex'];
    const uncertain = move === 'delete' ? null : undefined;
    const body = move === 'delete' ? undefined : { chunk_size_chars: random.int(100, 300) };
    const reply = await this.#request(method, `${path}${suffix}`, body, uncertain);
    if (reply.status === 204) this.#becomes(null);
    else if (reply.status === 202) this.findings.count('documents: reindex accepted');
    else this.#refused(reply, uncertain);
  }

  async #send(random: Random): Promise<void> {
    const version = this.#version(random);
    this.versions.push(version);
    const body = {
      corpus_id: this.corpus,
      document_id: this.id,
      text: version.text,
      overwrite: true,
      chunk_size_chars: version.chunkSize,
      chunk_overlap_chars: random.int(0, 30),
    };
    const reply = await this.#request('POST', '/v1/documents/text', body, version);
    if (reply.status === 202 || codeOf(reply) === 'QUEUE_ERROR') this.#becomes(version);
    else if (reply.status === 200) this.findings.count('documents: in flight, kept');
    else this.#refused(reply, version);
  }

  /** @param uncertain what the document may hold when there is no answer; undefined when it holds what it held. */
  async #request(
    method: string,
    path: string,
    body: object | undefined,
    uncertain: Version | null | undefined,
  ): Promise<Reply> {
    try {
      return await this.client.call(method, path, body);
    } catch (error) {
      if (uncertain !== undefined) this.possible.add(uncertain);
      throw error;
    }
  }

  #becomes(content: Version | null): void {
    this.possible.clear();
    this.possible.add(content);
    this.findings.count(content === null ? 'documents: deletion acknowledged' : 'documents: acknowledged');
  }

  #refused(reply: Reply, uncertain: Version | null | undefined): void {
    const code = codeOf(reply);
    this.findings.count(`documents: refused, ${code}`);
    if (UNCERTAIN.has(code) && uncertain !== undefined) this.possible.add(uncertain);
    // A missing document may have been deleted by a request that got no answer; it must not just be lost.
    const explained =
      code === 'NOT_FOUND'
        ? this.possible.has(null)
        : UNCHANGED.has(code) || UNCERTAIN.has(code) || code === 'QUEUE_ERROR';
    this.findings.demand(explained, 'a request for a document is answered as its state explains', {
      id: this.id,
      reply,
      believed: [...this.possible].map((version) => version?.word ?? null),
    });
  }

  #version(random: Random): Version {
    const [least, most] = CHUNKS[random.pick(SIZES)];
    const chunkSize = random.int(120, 240);
    const word = `zq${this.id.replaceAll('-', '')}v${this.versions.length}x`;
    const sentence = (at: number): string =>
      `Item ${at} of ${word} is about subject ${random.int(1, 50)} and nothing else.`;
    const sentences: string[] = [];
    const length = random.int(least, most) * chunkSize * 0.8;
    for (let size = 0; size < length; size += sentences.at(-1)?.length ?? 0) sentences.push(sentence(sentences.length));
    return { word, text: sentences.join(' '), chunkSize };
  }
}
