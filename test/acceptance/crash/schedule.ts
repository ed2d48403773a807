import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { eventually } from '../../harness/eventually.js';
import type { PrivateServices } from '../../harness/private-services.js';
import { Client } from './client.js';
import { Cluster, SLOTS } from './cluster.js';
import { checkQuestion, claimsOfTheLiving } from './conversation-invariants.js';
import { checkDocument } from './document-invariants.js';
import { DocumentStory } from './documents.js';
import { describeFault, inflict, planFaults } from './faults.js';
import { Findings } from './findings.js';
import { Conversation, takeEverySlot, type Asked } from './questions.js';
import { Random } from './random.js';
import { checkStore, UNDER_WAY } from './store-invariants.js';

const TENANTS = ['crash-one', 'crash-two'] as const;
const DOCUMENTS = 4;
const CONVERSATIONS = 2;
/** Faults happen within this time. */
const FAULTS_MS = 1_800;
/** Clients work as long, and on until they have achieved something, which takes until a process is back. */
const MOST_TRAFFIC_MS = 10_000;
const ENOUGH_DOCUMENTS = 6;
const ENOUGH_ANSWERS = 3;
/** Leases, backoffs and restarts take up to about fifteen seconds; more is being stuck. */
const SETTLE_MS = 60_000;

/** One cluster that lives through many schedules. */
export class World {
  private constructor(
    readonly cluster: Cluster,
    readonly clients: readonly Client[],
    readonly db: pg.Pool,
  ) {}

  static async start(services: PrivateServices): Promise<World> {
    const cluster = new Cluster(services);
    const db = new pg.Pool({ connectionString: services.databaseUrl, max: 2 });
    // A lost connection is replaced when the next query asks for one.
    db.on('error', () => undefined);
    try {
      await cluster.start();
      const clients: Client[] = [];
      for (const tenant of TENANTS) clients.push(new Client(tenant, await cluster.key(tenant), cluster));
      return new World(cluster, clients, db);
    } catch (error) {
      await cluster.close();
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.cluster.close();
    await this.db.end();
  }
}

export interface Report {
  readonly number: number;
  readonly faults: readonly string[];
  readonly findings: Findings;
  readonly asked: readonly Asked[];
  readonly ms: number;
  /** How long it took until nothing was under way, and what was last. */
  readonly settledMs: number;
  readonly last: unknown;
}

/** Lets clients work while faults happen, lets everything come to rest, and looks at what is left. */
export async function runSchedule({ cluster, clients, db }: World, seed: number, number: number): Promise<Report> {
  const started = performance.now();
  const random = Random.of(seed, number);
  const findings = new Findings();
  const outages = { ...cluster.outages };
  const corpus = `s${number}`;
  for (const client of clients) await client.call('POST', '/v1/corpora', { id: corpus, name: corpus });
  const stories = clients.flatMap((client, tenant) =>
    Array.from(
      { length: DOCUMENTS },
      (_, at) => new DocumentStory(client, corpus, `s${number}-t${tenant}-d${at}`, findings),
    ),
  );
  const conversations = clients.flatMap((client) =>
    Array.from({ length: CONVERSATIONS }, (_, at) => new Conversation(client, corpus, `s${number}-${at}`, findings)),
  );
  const faults = planFaults(random.fork(), FAULTS_MS);
  const enough = (): boolean =>
    findings.times('documents: acknowledged') >= ENOUGH_DOCUMENTS &&
    findings.times('questions: answered') >= ENOUGH_ANSWERS;
  const going = (): boolean => {
    const elapsed = performance.now() - started;
    return elapsed < FAULTS_MS || (elapsed < MOST_TRAFFIC_MS && !enough());
  };
  const clientsAtWork = [...stories, ...conversations].map((client) => client.live(random.fork(), going));
  const faultsAtWork = faults.map(async (fault) => {
    await pause(fault.at);
    findings.count(`faults: ${fault.kind}`);
    await inflict(cluster, fault);
  });
  await Promise.all([...clientsAtWork, ...faultsAtWork]);
  const asked = conversations.flatMap((conversation) => conversation.asked);
  const circumstances = {
    postgresFailed: cluster.outages.postgres > outages.postgres,
    redisFailed: cluster.outages.redis > outages.redis,
  };
  const trafficEnded = performance.now();
  const { settled, last } = await settle({ cluster, db }, circumstances.postgresFailed ? [] : asked, findings);
  const settledMs = performance.now() - trafficEnded;
  if (settled) {
    for (const story of stories) await checkDocument(story, db, cluster, findings);
    for (const question of asked) await checkQuestion(question, db, circumstances, findings);
    await checkStore(db, corpus, findings);
    await checkSlots({ cluster, clients }, corpus, findings);
  }
  for (const end of cluster.unexplained.splice(0)) findings.demand(false, 'a process ends only when asked to', end);
  return {
    number,
    faults: faults.map(describeFault),
    findings,
    asked,
    ms: performance.now() - started,
    settledMs,
    last,
  };
}

/**
 * Waits until all processes run and nothing is under way.
 *
 * @param asked questions that let go of their sessions; without the database a run cannot, and its claim ends by itself.
 */
async function settle(
  { cluster, db }: Pick<World, 'cluster' | 'db'>,
  asked: readonly Asked[],
  findings: Findings,
): Promise<{ readonly settled: boolean; readonly last: unknown }> {
  let last: unknown = 'the start of the processes';
  try {
    await cluster.ready();
    await eventually(async () => {
      const left: unknown[] = [...(await db.query(UNDER_WAY)).rows, ...(await claimsOfTheLiving(db, asked))];
      if (left.length === 0) return;
      last = left.slice(0, 10);
      throw new Error('Something is under way.');
    }, SETTLE_MS);
    return { settled: true, last };
  } catch (error) {
    findings.demand(false, 'nothing is under way for ever', { last, error: String(error) });
    return { settled: false, last };
  }
}

async function checkSlots(
  { cluster, clients }: Pick<World, 'cluster' | 'clients'>,
  corpus: string,
  findings: Findings,
): Promise<void> {
  const client = clients[0];
  if (client === undefined) return;
  const takeAll = async (): Promise<unknown> =>
    Promise.all(cluster.serving.map((api) => takeEverySlot(client, api, corpus, SLOTS)));
  await eventually(takeAll, 10_000).catch((error: unknown) => {
    findings.demand(false, 'every place for an answer is free again', String(error));
  });
}
