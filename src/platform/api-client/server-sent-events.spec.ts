import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { EventParser } from './server-sent-events.js';

const STREAM =
  'retry: 250\n\n: hello\n\nid: 7\nevent: key\ndata: {"a":1}\n\r\ndata:x\rdata: y\r\n\r\nid: 8\n\nevent: no-data\n\ndata\n\n';
const EVENTS = [
  { event: 'key', id: '7', data: '{"a":1}' },
  { event: 'message', id: '7', data: 'x\ny' },
  { event: 'message', id: '8', data: '' },
];

describe('an event stream', () => {
  // The network cuts where it likes, also within a line end.
  it('has the same events however it is cut', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(STREAM.length)), (cuts) => {
        const places = [0, ...cuts.sort((a, b) => a - b), STREAM.length];
        const parser = new EventParser();
        const events = places.slice(1).flatMap((end, index) => parser.feed(STREAM.slice(places[index], end)));
        expect(events).toEqual(EVENTS);
        expect(parser.retryMs).toBe(250);
      }),
    );
  });

  it('goes on from the id of an earlier connection', () => {
    expect(new EventParser('41').feed('data: x\n\n')).toEqual([{ event: 'message', id: '41', data: 'x' }]);
  });

  it('that never ends an event is refused before it fills the memory', () => {
    const parser = new EventParser();
    const lines = `data: ${'x'.repeat(100_000)}\n`;
    expect(() => {
      for (let line = 0; line < 100; line += 1) parser.feed(lines);
    }).toThrow(RangeError);
  });
});
