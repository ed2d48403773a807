import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { RetentionHolds } from '../../../src/features/audit/index.js';
import type { Actor } from '../../harness/app.js';
import { eventually } from '../../harness/eventually.js';
import { Gate, says } from './scripted-chat.js';
import { newSession, Stage } from './stage.js';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const TIME = /^\d{4}-\d\d-\d\dT.*Z$/;

let stage: Stage;
/** Somebody with no session yet, who may read the corpus. */
let asker: Actor;

beforeAll(async () => {
  stage = await Stage.start();
});
afterAll(() => stage.close());
beforeEach(async () => {
  asker = await stage.app.actor('reader', stage.reader.tenantId);
  stage.chat.script = says('Krill [1].');
});

async function ask(session_id: string, body: Record<string, unknown> = {}, by = asker): Promise<string> {
  const stream = await stage.open({ session_id, ...body }, {}, by);
  await stream.end();
  return stream.response.headers.get('x-run-id') ?? '';
}

/** That can be read again by a replay. */
const questions = async (id: string): Promise<number> =>
  (await stage.app.rows('SELECT 1 FROM receipt_queries WHERE session_id = $1', [id])).length;
const idsOf = ({ body }: { body: { data: { id: string }[] } }): string[] => body.data.map(({ id }) => id);
const messages = async (id: string, query = ''): Promise<Record<string, unknown>[]> =>
  (await asker.get(`/v1/sessions/${id}/messages${query}`).expect(200)).body.data.items;

describe('200', () => {
  it('lists the sessions of the asker, newest first, page by page', async () => {
    expect((await asker.get('/v1/sessions').expect(200)).body).toMatchObject({
      data: [],
      meta: { page: { next_cursor: null, has_more: false } },
    });
    const ids = [newSession(), newSession(), newSession()];
    for (const id of ids) await ask(id);
    await ask(ids[0] ?? '');
    const all = await asker.get('/v1/sessions').expect(200);
    expect(idsOf(all)).toEqual(ids.toReversed());
    expect(all.body.data[2]).toEqual({
      id: ids[0],
      created_at: expect.stringMatching(TIME),
      last_seen_at: expect.stringMatching(TIME),
      message_count: 4,
      active_run_id: null,
    });
    const first = await asker.get('/v1/sessions?limit=2').expect(200);
    const { next_cursor: cursor, has_more } = first.body.meta.page;
    expect([idsOf(first), has_more]).toEqual([ids.toReversed().slice(0, 2), true]);
    const second = await asker.get('/v1/sessions').query({ limit: 2, cursor }).expect(200);
    expect([idsOf(second), second.body.meta.page.has_more]).toEqual([[ids[0]], false]);
  });

  it('lists messages in the order of the conversation, page by page', async () => {
    const id = newSession();
    const runs = [await ask(id, { message: 'One?' }), await ask(id, { message: 'Two?' })];
    const all = await messages(id);
    expect(all).toEqual(
      ['One?', 'Krill [1].', 'Two?', 'Krill [1].'].map((content, index) => ({
        id: expect.stringMatching(UUID),
        seq: index + 1,
        role: index % 2 === 0 ? 'user' : 'assistant',
        content,
        status: 'complete',
        run_id: runs[Math.floor(index / 2)],
        created_at: expect.stringMatching(TIME),
        usage: null,
      })),
    );
    const { items, next_cursor } = (await asker.get(`/v1/sessions/${id}/messages?limit=3`).expect(200)).body.data;
    expect(items).toEqual(all.slice(0, 3));
    expect(await messages(id, `?limit=3&cursor=${next_cursor}`)).toEqual(all.slice(3));
    const past = await asker
      .get(`/v1/sessions/${id}/messages`)
      .query({ cursor: cursorAfter(4) })
      .expect(200);
    expect(past.body.data).toEqual({ items: [], next_cursor: null });
  });

  it('tells usage, and that an answer was cancelled', async () => {
    const id = newSession();
    stage.chat.script = async function* () {
      yield { type: 'delta', text: 'Yes.' };
      yield { type: 'usage', inputTokens: 11, outputTokens: 7 };
    };
    await ask(id);
    stage.chat.script = says('Half', new Gate());
    const stream = await stage.open({ session_id: id }, {}, asker);
    await stream.until(({ data }) => data.type === 'token.delta');
    stream.abort();
    await eventually(async () => {
      expect((await messages(id)).map(({ status, usage }) => [status, usage])).toEqual([
        ['complete', null],
        ['complete', { input_tokens: 11, output_tokens: 7 }],
        ['complete', null],
        ['cancelled', null],
      ]);
    });
  });

  it('names the run that is answering, whose events can then be read', async () => {
    const id = newSession();
    const gate = new Gate();
    stage.chat.script = says('One', gate);
    const stream = await stage.open({ session_id: id }, {}, asker);
    const [session] = (await asker.get('/v1/sessions').expect(200)).body.data;
    expect(session.active_run_id).toBe(stream.response.headers.get('x-run-id'));
    gate.open();
    await stream.end();
    const events = await asker.get(`/v1/runs/${session.active_run_id}/events`).buffer(true).expect(200);
    expect(events.text).toBe(stream.text);
  });
});

describe('204', () => {
  it('deletes a session with its messages, checkpoints and kept frames, and writes that down', async () => {
    const [id, other] = [newSession(), newSession()];
    const run = await ask(id);
    const kept = await ask(other);
    await asker.delete(`/v1/sessions/${id}`).expect(204);
    expect(idsOf(await asker.get('/v1/sessions'))).toEqual([other]);
    for (const table of ['messages', 'checkpoints']) {
      expect(await stage.app.rows(`SELECT 1 FROM ${table} WHERE session_id = $1`, [id])).toEqual([]);
    }
    await asker.get(`/v1/sessions/${id}/messages`).expect(404);
    await asker.get(`/v1/runs/${run}/events`).expect(404);
    await asker.get(`/v1/runs/${kept}/events`).expect(200);
    const events = (await stage.app.audit(asker.tenantId)).filter(
      ({ event_type, resource_id }) => event_type === 'sessions.deleted' && resource_id === id,
    );
    expect(events).toEqual([
      expect.objectContaining({ outcome: 'success', subject_id: asker.userId, metadata_json: { messages: 2 } }),
    ]);
    await asker.delete(`/v1/sessions/${id}`).expect(404);
    expect(await questions(id)).toBe(0);
    await ask(id, { message: 'Again?' });
    expect((await messages(id)).map(({ seq, content }) => [seq, content])).toEqual([
      [1, 'Again?'],
      [2, 'Krill [1].'],
    ]);
  });
});

it('keeps the questions in receipts that a hold keeps', async () => {
  const id = newSession();
  await ask(id);
  const holds = stage.app.app.nest.get(RetentionHolds, { strict: false });
  const hold = jest.spyOn(holds, 'heldSessions').mockResolvedValue(new Set([id]));
  await asker.delete(`/v1/sessions/${id}`).expect(204);
  hold.mockRestore();
  expect(await questions(id)).toBe(1);
});

describe('4xx', () => {
  it("404 for a session that is not there or somebody else's, to read and to delete", async () => {
    const id = newSession();
    await ask(id);
    const strangers = [await stage.app.actor('admin', asker.tenantId), await stage.app.actor('admin')];
    for (const stranger of strangers) {
      expect(idsOf(await stranger.get('/v1/sessions').expect(200))).toEqual([]);
      for (const session of [id, 'missing', 'a%20b', '%00']) {
        const answers = [
          await stranger.get(`/v1/sessions/${session}/messages`),
          await stranger.delete(`/v1/sessions/${session}`),
        ];
        expect([session, ...answers.map(({ status }) => status)]).toEqual([session, 404, 404]);
      }
    }
    expect(await messages(id)).toHaveLength(2);
  });

  it('409 SESSION_BUSY while a run holds it, also when its client has left a background run', async () => {
    const id = newSession();
    const gate = new Gate();
    stage.chat.script = says('One', gate);
    const stream = await stage.open({ session_id: id, background: true }, {}, asker);
    await stream.until(({ data }) => data.type === 'token.delta');
    stream.abort();
    const busy = await asker.delete(`/v1/sessions/${id}`).expect(409);
    expect([busy.body.error.code, busy.get('Retry-After')]).toEqual(['SESSION_BUSY', '1']);
    gate.open();
    await eventually(() => asker.delete(`/v1/sessions/${id}`).expect(204));
  });

  it('a session whose process died can be deleted', async () => {
    const id = newSession();
    await ask(id);
    await stage.app.rows(
      `UPDATE sessions SET active_run_id = 'dead', active_until = now() - interval '1 second' WHERE id = $1`,
      [id],
    );
    expect((await asker.get('/v1/sessions').expect(200)).body.data[0].active_run_id).toBeNull();
    await asker.delete(`/v1/sessions/${id}`).expect(204);
  });

  it('400 for a cursor that is none of the list, 422 for a limit that is none', async () => {
    const id = newSession();
    await ask(id);
    const invalid = ['x', cursorAfter(1), cursorAfter('x'), cursorAfter('1; DROP TABLE messages'), cursorAfter(1e20)];
    for (const path of ['/v1/sessions', `/v1/sessions/${id}/messages`]) {
      for (const cursor of invalid.filter((candidate) => !path.endsWith('messages') || candidate !== cursorAfter(1))) {
        const response = await asker.get(path).query({ cursor });
        expect([cursor, response.status, response.body.error?.code]).toEqual([cursor, 400, 'INVALID_CURSOR']);
      }
      for (const limit of ['0', '201', 'x']) await asker.get(path).query({ limit }).expect(422);
    }
  });
});

function cursorAfter(seq: number | string): string {
  return Buffer.from(JSON.stringify([String(seq)])).toString('base64url');
}
