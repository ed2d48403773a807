import type pg from 'pg';
import { CLAIM_MS } from './cluster.js';
import { EventText } from './event-text.js';
import type { Findings } from './findings.js';
import type { Asked } from './questions.js';

interface StoredMessage {
  readonly role: 'user' | 'assistant';
  readonly status: string;
  readonly content: string;
  readonly session_id: string;
}

/** What happened to the services while a schedule ran. */
export interface Circumstances {
  readonly postgresFailed: boolean;
  readonly redisFailed: boolean;
}

/** Errors that a lost database, a process that stops, and others' answers explain. */
const OF_POSTGRES = new Set(['AUTH_UNAVAILABLE', 'DB_ERROR', 'SERVICE_UNAVAILABLE', 'RETRIEVAL_ERROR', 'RUN_TIMEOUT']);
const OF_LOAD = new Set(['SERVICE_BUSY', 'SESSION_BUSY']);

/** What is stored of a question, against what its client was told. */
export async function checkQuestion(
  asked: Asked,
  db: pg.Pool,
  circumstances: Circumstances,
  findings: Findings,
): Promise<void> {
  const { api, answer, code, manner, message, runId, session } = asked;
  const facts = {
    session,
    message,
    manner,
    runId,
    api: api.name,
    code,
    answer,
    disturbed: api.disturbed,
    ...circumstances,
  };
  const stored = (await db.query<StoredMessage>(MESSAGES, [asked.client.tenant, session, message])).rows;
  const questions = stored.filter(({ role }) => role === 'user');
  const answers = stored.filter(({ role }) => role === 'assistant');
  findings.demand(
    asked.accepted ? questions.length === 1 : questions.length <= 1,
    'an accepted question is stored once',
    { ...facts, stored },
  );
  findings.demand(answers.length <= questions.length, 'a question has at most one answer', { ...facts, stored });
  if (answer !== undefined) {
    const same = answers[0]?.status === 'complete' && answers[0].content === answer;
    findings.demand(same, 'an answer that was sent is stored as it was sent', { ...facts, stored });
  }
  const undisturbed = !api.disturbed && !circumstances.postgresFailed;
  const left =
    asked.accepted && answer === undefined && code === undefined && (manner === 'leave' || manner === 'background');
  if (undisturbed) checkUndisturbed(asked, left, findings, facts);
  const claims = (await db.query(CLAIM, [asked.client.tenant, session, runId])).rows;
  if (undisturbed) findings.none(claims, 'a run lets go of its session');
  else findings.count('sessions that a fault left claimed', claims.length);
  if (left && undisturbed) checkLeft(asked, answers[0], findings, facts);
  const explained =
    code === undefined ||
    OF_LOAD.has(code) ||
    (code === 'RUN_INTERRUPTED' && api.disturbed) ||
    (OF_POSTGRES.has(code) && circumstances.postgresFailed);
  findings.demand(explained, 'a fault explains an error that was told', facts);
}

/** Whoever is served by a process and a database that lived gets an answer, whatever Redis does. */
function checkUndisturbed(asked: Asked, left: boolean, findings: Findings, facts: object): void {
  if (asked.code !== undefined || left) return;
  const whole = asked.answer !== undefined && (asked.stream === undefined || asked.stream.find('done') !== undefined);
  findings.demand(whole, 'a question that no fault touches is answered', {
    ...facts,
    text: asked.stream?.text.slice(-300),
  });
}

/** A client that left: its run is cancelled with what it had been sent, or finished when asked for in the background. */
function checkLeft(
  { manner, stream }: Asked,
  answer: StoredMessage | undefined,
  findings: Findings,
  facts: object,
): void {
  const deltas = stream?.events
    .filter(({ data }) => data.type === 'token.delta')
    .map(({ data }) => data.data.delta as string);
  const sent = (deltas ?? []).join('');
  const statuses = manner === 'background' ? ['complete'] : ['complete', 'cancelled'];
  if (manner === 'leave' && sent === '') return;
  const kept = answer !== undefined && statuses.includes(answer.status) && answer.content.startsWith(sent.trimEnd());
  findings.demand(kept, 'what a client that left had been sent is kept', { ...facts, sent, answer });
  findings.count(`answers of clients that left: ${manner}, ${answer?.status ?? 'none'}`);
}

/** Claims of runs whose process lives, as long as they last, and claims that last longer than they may. */
export async function claimsOfTheLiving(db: pg.Pool, asked: readonly Asked[]): Promise<unknown[]> {
  const living = asked.filter(({ api }) => !api.disturbed).flatMap(({ runId }) => runId ?? []);
  return (await db.query(CLAIMS, [living, CLAIM_MS])).rows;
}

/**
 * How much is left of a stream on another replica: all of it, less than its client got, or nothing. What is kept of a
 * stream whose process died ends with an error.
 */
export type Kept = 'all' | 'interrupted' | 'less than sent' | 'nothing';

/** Reads the stream of a question again on a replica, which must have all of it unless a fault explains that. */
export async function readAgain(asked: Asked, url: string, findings: Findings): Promise<Kept> {
  const kept = await compare(asked, url, findings);
  const redisFailed = asked.client.cluster.outages.redis > asked.redisFailures;
  const facts = { session: asked.session, runId: asked.runId, kept, disturbed: asked.api.disturbed };
  findings.demand(
    kept === 'all' || asked.api.disturbed || redisFailed,
    'a fault explains what is lost of a stream',
    facts,
  );
  return kept;
}

/** From its start, and on from where its client was. */
async function compare(asked: Asked, url: string, findings: Findings): Promise<Kept> {
  const sent = asked.stream?.frames ?? [];
  const path = `${url}/v1/runs/${asked.runId ?? ''}/events`;
  const read = async (headers: Record<string, string>): Promise<EventText> =>
    (await EventText.open(path, { headers: { ...asked.client.headers, ...headers } })).end();
  const again = await read({});
  if (again.response.status !== 200) return 'nothing';
  const interrupted = again.find('error')?.code === 'RUN_INTERRUPTED' && !sent.at(-2)?.includes('RUN_INTERRUPTED');
  const kept = interrupted ? again.frames.slice(0, -2) : again.frames;
  const common = Math.min(kept.length, sent.length);
  const facts = {
    session: asked.session,
    runId: asked.runId,
    sent: sent.slice(-4),
    kept: kept.slice(-4),
    length: kept.length,
  };
  const same = kept.slice(0, common).join('') === sent.slice(0, common).join('');
  findings.demand(same, 'a stream reads the same on every replica', facts);
  // What a process sends in its last moments reaches its client, yet nobody else.
  if (kept.length < sent.length) return 'less than sent';
  const rest = await read({ 'Last-Event-ID': String(sent.length) });
  const whole = [...sent, ...rest.frames];
  const numbers = whole.map((frame) => Number(/^id: (\d+)$/m.exec(frame)?.[1]));
  const goesOn = numbers.every((number, at) => number === at + 1) && whole.at(-1)?.includes('"type":"done"') === true;
  findings.demand(goesOn, 'a stream goes on where its client was, to its end', { ...facts, rest: rest.text });
  return interrupted ? 'interrupted' : 'all';
}

const MESSAGES = `
  SELECT m.role, m.status, m.content, m.session_id FROM messages m
   WHERE m.tenant_id = $1 AND m.session_id = $2 AND m.run_id IN (
     SELECT q.run_id FROM messages q WHERE q.tenant_id = $1 AND q.session_id = $2 AND q.role = 'user' AND q.content = $3)`;

const CLAIM = `SELECT id, active_run_id FROM sessions WHERE tenant_id = $1 AND id = $2 AND active_run_id = $3`;

const CLAIMS = `
  SELECT tenant_id, id, active_run_id, active_until FROM sessions
   WHERE active_run_id IS NOT NULL
     AND ((active_run_id = ANY ($1::text[]) AND active_until > now()) OR active_until > now() + make_interval(secs => $2 / 1000.0))`;
