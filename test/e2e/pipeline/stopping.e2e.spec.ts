import { expect, it } from '@jest/globals';
import { eventually } from '../../harness/eventually.js';
import { Gate, says, ScriptedChat } from '../run/scripted-chat.js';
import { Stage, types } from '../run/stage.js';

// A load balancer that still sees a ready instance sends it questions that it will refuse.
it('a process that stops is unready at once, and alive while an open answer ends', async () => {
  const chat = new ScriptedChat();
  const stage = await Stage.start({ RUN_DRAIN_S: '30' }, chat);
  await stage.app.anonymous().get('/v1/readyz').expect(200);
  const gate = new Gate();
  chat.script = says('Hello', gate, ' world.');
  const stream = await stage.open();
  await stream.until(({ data }) => data.type === 'token.delta');
  const closing = stage.close();
  await eventually(async () => {
    const { status, body } = await stage.app.anonymous().get('/v1/readyz');
    expect([status, body.error]).toEqual([503, { process: { status: 'down', message: 'stopping' } }]);
  });
  await stage.app.anonymous().get('/v1/healthz').expect(200);
  gate.open();
  expect(types(await stream.end()).slice(-2)).toEqual(['message.final', 'done']);
  await closing;
});
