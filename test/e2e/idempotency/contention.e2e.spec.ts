import { AsyncResource } from 'node:async_hooks';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import supertest, { type Response, type Test } from 'supertest';
import { TestApp, type Actor } from '../../harness/app.js';
import { until } from '../../harness/until.js';
import { ShiftedClock } from '../auth/shifted-clock.js';
import { Replica } from '../../harness/replica.js';
import { Gate } from '../run/scripted-chat.js';
import { asOwner, newCorpus } from '../retrieval/chunks.js';
import { HeldBlobs } from './held-blobs.js';

const clock = new ShiftedClock();
const blobs = new HeldBlobs();
let app: TestApp;
let replica: Replica;
let editor: Actor;
let corpusId: string;

beforeAll(async () => {
  // Without jobs: the embedded database never answers what is under way when it is closed.
  app = await TestApp.start({ AUTH_CACHE_TTL_S: '300' }, { clock, blobs }, false);
  replica = await Replica.of(app);
  editor = await app.actor('editor');
  corpusId = await newCorpus(editor);
});
afterAll(async () => {
  await replica.close();
  await app.close();
});

let keys = 0;
const newKey = (): string => `contended-${(keys += 1)}`;
const codeOf = (response: Response): unknown => [response.status, response.body.error?.code];

/** A text without an id of its own: working on it twice makes two documents. */
function addText(key: string, text = `Text of ${key}.`, url = app.url): Test {
  return supertest(url)
    .post('/v1/documents/text')
    .set('Authorization', `Bearer ${editor.token}`)
    .set('Idempotency-Key', key)
    .send({ corpus_id: corpusId, text, filename: `${key}.txt` });
}

async function documentsOf(key: string): Promise<number> {
  const rows = await app.rows(`SELECT FROM documents WHERE tenant_id = $1 AND filename = $2`, [
    editor.tenantId,
    `${key}.txt`,
  ]);
  return rows.length;
}

async function change(key: string, assignments: string): Promise<void> {
  const changed = await app.rows(`UPDATE idempotency_records SET ${assignments} WHERE idem_key = $1 RETURNING id`, [
    key,
  ]);
  expect(changed).toHaveLength(1);
}

/** As a record is whose process died with the request, a minute ago. */
const DIED_AT_WORK = `state = 'in_progress', locked_until = now(), response_status = NULL, body_encrypted = NULL`;
const DIED_AFTER_COMMIT = DIED_AT_WORK.replace('in_progress', 'committed');

/** A request that is held before its transaction, and what lets it go. */
async function held(key: string): Promise<{ gate: Gate; answer: Promise<Response> }> {
  const gate = blobs.holdNext();
  const before = blobs.waiting;
  const answer = addText(key).then((response) => response);
  await until(() => blobs.waiting === before + 1);
  return { gate, answer };
}

describe('requests with one key at once', () => {
  // A client that times out repeats while the first try is still running; that is when payments are made twice.
  it.each([20, 50])('01 §9 case 4: of %i in two processes one takes effect', async (clients) => {
    const key = newKey();
    const urls = [app.url, replica.url];
    const answers = await Promise.all(
      Array.from({ length: clients }, (_, index) => addText(key, undefined, urls[index % 2])),
    );
    expect(await documentsOf(key)).toBe(1);
    const worked = answers.filter((answer) => answer.status === 202);
    const refused = answers.filter((answer) => answer.status !== 202);
    expect(worked.length).toBeGreaterThanOrEqual(1);
    expect(worked.filter((answer) => answer.get('Idempotency-Replayed') === undefined)).toHaveLength(1);
    expect(new Set(worked.map(({ text }) => text)).size).toBe(1);
    for (const answer of refused) {
      expect([codeOf(answer), answer.get('Retry-After')]).toEqual([[409, 'IDEMPOTENCY_IN_PROGRESS'], '1']);
    }
    const last = await addText(key, undefined, replica.url).expect(202);
    expect([last.text, last.get('Idempotency-Replayed')]).toEqual([worked[0]?.text, 'true']);
  });

  it('with different contents: one takes effect, the others are refused', async () => {
    const key = newKey();
    const texts = Array.from({ length: 20 }, (_, index) => `Content ${index}.`);
    const answers = await Promise.all(texts.map((text) => addText(key, text)));
    expect(await documentsOf(key)).toBe(1);
    const codes = answers.map((answer) => codeOf(answer)).sort();
    expect(codes).toEqual([[202, undefined], ...Array<unknown>(19).fill([409, 'IDEMPOTENCY_KEY_CONFLICT'])]);
  });
});

describe('while the first request is worked on', () => {
  it('the same is IDEMPOTENCY_IN_PROGRESS, another is IDEMPOTENCY_KEY_CONFLICT, and neither waits', async () => {
    const key = newKey();
    const { gate, answer } = await held(key);
    const same = await addText(key, undefined, replica.url);
    expect([codeOf(same), same.get('Retry-After')]).toEqual([[409, 'IDEMPOTENCY_IN_PROGRESS'], '1']);
    expect(codeOf(await addText(key, 'Another text.'))).toEqual([409, 'IDEMPOTENCY_KEY_CONFLICT']);
    gate.open();
    expect((await answer).status).toBe(202);
    await addText(key).expect(202).expect('Idempotency-Replayed', 'true');
    expect(await documentsOf(key)).toBe(1);
  });

  it('its lock is renewed until it ends', async () => {
    const timers: (() => void)[] = [];
    const [after, gateKey] = [clock.after.bind(clock), newKey()];
    clock.after = (ms, callback) => {
      if (ms === 20_000) timers.push(AsyncResource.bind(callback));
      return ms === 20_000 ? { cancel: () => (timers.length = 0) } : after(ms, callback);
    };
    try {
      const { gate, answer } = await held(gateKey);
      await change(gateKey, `locked_until = now()`);
      timers.shift()?.();
      await until(async () => {
        const locked = `SELECT FROM idempotency_records WHERE idem_key = $1 AND locked_until > now() + interval '50 s'`;
        return (await app.rows(locked, [gateKey])).length === 1;
      });
      await until(() => timers.length === 1);
      gate.open();
      expect((await answer).status).toBe(202);
      expect(timers).toEqual([]);
    } finally {
      clock.after = after;
    }
  });

  // Its process was paused for longer than the lock, and goes on after another one has done the work.
  it('and loses its lock to a repetition, it commits nothing and cannot replace the answer', async () => {
    const key = newKey();
    const { gate, answer } = await held(key);
    await change(key, `locked_until = now()`);
    const second = await addText(key, undefined, replica.url).expect(202);
    expect(second.get('Idempotency-Replayed')).toBeUndefined();
    gate.open();
    expect(codeOf(await answer)).toEqual([409, 'IDEMPOTENCY_IN_PROGRESS']);
    expect(await documentsOf(key)).toBe(1);
    expect((await addText(key).expect(202)).text).toBe(second.text);
  });
});

describe('when the process of the first request died', () => {
  it('before it committed: the repetition is worked on once the lock has ended', async () => {
    const key = newKey();
    await addText(key).expect(202);
    await change(key, DIED_AT_WORK.replace('now()', `now() + interval '1 minute'`));
    expect(codeOf(await addText(key))).toEqual([409, 'IDEMPOTENCY_IN_PROGRESS']);
    await change(key, DIED_AT_WORK);
    expect(codeOf(await addText(key, 'Another text.'))).toEqual([409, 'IDEMPOTENCY_KEY_CONFLICT']);
    const answer = await addText(key).expect(202);
    expect(answer.get('Idempotency-Replayed')).toBeUndefined();
    await addText(key).expect(202).expect('Idempotency-Replayed', 'true');
  });

  it('after it committed: the repetition says so, and does not take effect again', async () => {
    const key = newKey();
    await addText(key).expect(202);
    await change(key, DIED_AFTER_COMMIT.replace('now()', `now() + interval '1 minute'`));
    expect(codeOf(await addText(key))).toEqual([409, 'IDEMPOTENCY_IN_PROGRESS']);
    await change(key, DIED_AFTER_COMMIT);
    expect(codeOf(await addText(key))).toEqual([409, 'IDEMPOTENCY_RESULT_LOST']);
    expect(await documentsOf(key)).toBe(1);
  });
});

describe('time', () => {
  it('01 §9 case 5: a key is new again once its answer has expired', async () => {
    const key = newKey();
    const first = await addText(key).expect(202);
    const [kept] = await app.rows(
      `SELECT extract(epoch FROM expires_at - created_at)::int AS seconds
      FROM idempotency_records WHERE idem_key = $1`,
      [key],
    );
    expect(kept).toEqual({ seconds: 24 * 3600 });
    await change(key, `created_at = created_at - interval '24 h', expires_at = expires_at - interval '24 h'`);
    const second = await addText(key, 'Another text.').expect(202);
    expect(second.get('Idempotency-Replayed')).toBeUndefined();
    expect(second.body.data.document_id).not.toBe(first.body.data.document_id);
    expect((await addText(key, 'Another text.').expect(202)).text).toBe(second.text);
  });

  it('that is set back an hour, or on, in one process changes nothing', async () => {
    for (const seconds of [-3600, 2 * 3600]) {
      const key = newKey();
      const first = await addText(key).expect(202);
      clock.advance(seconds);
      const second = await addText(key).expect(202);
      expect(second.text).toBe(first.text);
      await change(key, DIED_AT_WORK);
      await addText(key).expect(202);
    }
  });
});

describe('while the database is away', () => {
  // Working on the request without protection is what the client asked not to happen.
  it('503, and the request is worked on once it is back', async () => {
    const key = newKey();
    await app.dataSource.destroy();
    const answer = await addText(key);
    await app.dataSource.initialize();
    expect(codeOf(answer)).toEqual([503, 'SERVICE_UNAVAILABLE']);
    expect(await documentsOf(key)).toBe(0);
    const again = await addText(key).expect(202);
    expect(again.get('Idempotency-Replayed')).toBeUndefined();
  });

  it('an answer that cannot be kept is given all the same, and the effect is not repeated', async () => {
    const key = newKey();
    await asOwner(app, `ALTER TABLE idempotency_records ADD CONSTRAINT ck_full CHECK (state <> 'completed') NOT VALID`);
    await addText(key).expect(202);
    await asOwner(app, `ALTER TABLE idempotency_records DROP CONSTRAINT ck_full`);
    expect(codeOf(await addText(key))).toEqual([409, 'IDEMPOTENCY_IN_PROGRESS']);
    await change(key, 'locked_until = now()');
    expect(codeOf(await addText(key))).toEqual([409, 'IDEMPOTENCY_RESULT_LOST']);
    expect(await documentsOf(key)).toBe(1);
  });
});
