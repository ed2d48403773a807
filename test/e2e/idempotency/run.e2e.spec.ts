import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Gate, says } from '../run/scripted-chat.js';
import { newSession, only, Stage, types } from '../run/stage.js';

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.start();
});
afterAll(() => stage.close());
beforeEach(() => {
  stage.chat.script = says('Hello', ' world.');
});

const ask = async (session_id: string, key: string, body: object = {}) => {
  const stream = await stage.open({ session_id, ...body }, { 'Idempotency-Key': key });
  return stream.end();
};
const kept = async (session: string): Promise<unknown[]> =>
  (await stage.messages(session)).map(({ seq, role, content }) => [seq, role, content]);
const QUESTION = 'What do penguins eat?';

describe('a question that is repeated with its key', () => {
  it('is answered again and stored once', async () => {
    const session = newSession();
    await ask(session, 'k');
    stage.chat.script = says('Another', ' answer.');
    const events = await ask(session, 'k');
    expect(only(events, 'message.final').text).toBe('Another answer.');
    expect(await kept(session)).toEqual([
      [1, 'user', QUESTION],
      [2, 'assistant', 'Hello world.'],
      [3, 'assistant', 'Another answer.'],
    ]);
    expect(stage.chat.lastCall.request.messages).toHaveLength(1);
    expect(await stage.sessions(session)).toEqual([{ active_run_id: null }]);
  });

  it('after a failure gets its answer, and later questions see both once', async () => {
    const session = newSession();
    stage.chat.script = says(new Error('broken'));
    expect(types(await ask(session, 'k'))).toContain('error');
    stage.chat.script = says('Krill.');
    await ask(session, 'k');
    expect(await kept(session)).toEqual([
      [1, 'user', QUESTION],
      [2, 'assistant', 'Krill.'],
    ]);
    await stage.ask({ session_id: session, message: 'And fish?' });
    const { messages } = stage.chat.lastCall.request;
    expect(messages.map(({ role }) => role)).toEqual(['user', 'assistant', 'user']);
    expect(messages.slice(0, 2).map(({ content }) => content)).toEqual([QUESTION, 'Krill.']);
  });

  it('is stored once with stream:false as well, and as one body as a stream', async () => {
    const session = newSession();
    const body = stage.body({ session_id: session, stream: false });
    const first = await stage.reader.post('/v1/run', body).set('Idempotency-Key', 'k').expect(200);
    const second = await stage.reader.post('/v1/run', body).set('Idempotency-Key', 'k').expect(200);
    expect(second.get('Idempotency-Replayed')).toBeUndefined();
    expect(second.body.data.run_id).not.toBe(first.body.data.run_id);
    expect((await kept(session)).map((message) => (message as unknown[])[1])).toEqual([
      'user',
      'assistant',
      'assistant',
    ]);
  });

  it('is another one in another session, for another person, or without a key', async () => {
    const [one, other] = [newSession(), newSession()];
    await ask(one, 'k');
    await ask(other, 'k');
    await (await stage.open({ session_id: one }, { 'Idempotency-Key': 'k' }, stage.editor)).end();
    await stage.ask({ session_id: one });
    expect(await stage.messages(one)).toHaveLength(4);
    expect(await stage.messages(other)).toHaveLength(2);
    expect(await stage.messages(one, stage.editor)).toHaveLength(2);
  });

  it('is 409 when it asks something else, and leaves the session free', async () => {
    const session = newSession();
    await ask(session, 'k');
    const refused = await stage.open({ session_id: session, message: 'Else?' }, { 'Idempotency-Key': 'k' });
    expect(refused.response.status).toBe(409);
    await refused.end();
    expect(refused.text).toContain('IDEMPOTENCY_KEY_CONFLICT');
    expect(await kept(session)).toHaveLength(2);
    expect(await stage.sessions(session)).toEqual([{ active_run_id: null }]);
  });

  it('is refused while the first one is being answered, as any question is', async () => {
    const session = newSession();
    const gate = new Gate();
    stage.chat.script = says('Wait', gate, '.');
    const first = await stage.open({ session_id: session }, { 'Idempotency-Key': 'k' });
    const second = await stage.open({ session_id: session }, { 'Idempotency-Key': 'k' });
    expect(second.response.status).toBe(409);
    await second.end();
    expect(second.text).toContain('SESSION_BUSY');
    gate.open();
    await first.end();
    expect(await kept(session)).toEqual([
      [1, 'user', QUESTION],
      [2, 'assistant', 'Wait.'],
    ]);
  });
});
