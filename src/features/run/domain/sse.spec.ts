import { describe, expect, it } from '@jest/globals';
import { createParser } from 'eventsource-parser';
import { encodeFrame, eventNameOf, RunFrames } from './sse.js';

describe('RunFrames', () => {
  it('numbers every frame from 1, heartbeats included', () => {
    const frames = new RunFrames('req-1', 's-1');
    const made = [
      frames.event('request.accepted', { accepted_at: '2026-01-01T00:00:00.000Z', top_k_effective: 5 }),
      frames.heartbeat(new Date('2026-01-01T00:00:10Z')),
      frames.event('done', {}),
    ];
    expect(made.map((frame) => [frame.seq, frame.event])).toEqual([
      [1, 'message'],
      [2, 'heartbeat'],
      [3, 'message'],
    ]);
    expect(made[0]?.payload).toEqual({
      type: 'request.accepted',
      request_id: 'req-1',
      session_id: 's-1',
      data: { accepted_at: '2026-01-01T00:00:00.000Z', top_k_effective: 5 },
      seq: 1,
    });
    expect(made[1]?.payload).toEqual({ ts: '2026-01-01T00:00:10.000Z', request_id: 'req-1', seq: 2 });
  });
});

describe('eventNameOf', () => {
  it.each([
    ['token.delta', 'message'],
    ['error', 'message'],
    ['done', 'message'],
    ['heartbeat', 'heartbeat'],
    ['sla.warn', 'sla.warn'],
    ['cost.capped', 'cost.capped'],
  ])('of %s is %s', (type, name) => {
    expect(eventNameOf(type)).toBe(name);
  });
});

describe('encodeFrame', () => {
  it('writes event, id and one line of compact JSON without escapes', () => {
    const frame = new RunFrames('r', 's').event('token.delta', { delta: 'Grüße 😀' });
    expect(encodeFrame(frame)).toBe(
      'event: message\nid: 1\ndata: {"type":"token.delta","request_id":"r","session_id":"s","data":{"delta":"Grüße 😀"},"seq":1}\n\n',
    );
  });

  // A delta with a line break would otherwise end the frame early and let a model forge events.
  it.each(['a\nb', 'a\r\n\r\nevent: done\ndata: {}\n\n', '\u2028\u2029\u0085', 'data: x', ':'])(
    'carries %j whole to a standard parser',
    (delta) => {
      const events: { event: string | undefined; id: string | undefined; data: unknown }[] = [];
      const parser = createParser({
        onEvent: ({ event, id, data }) => events.push({ event, id, data: JSON.parse(data) }),
      });
      const frame = new RunFrames('r', 's').event('token.delta', { delta });
      parser.feed(encodeFrame(frame));
      expect(events).toEqual([{ event: 'message', id: '1', data: frame.payload }]);
    },
  );
});
