import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ManualClock } from '../../../kernel/time.js';
import { DeltaCoalescer } from './delta-coalescer.js';

function coalescer(windowMs = 20) {
  const clock = new ManualClock();
  const sent: [at: number, delta: string][] = [];
  const deltas = new DeltaCoalescer(clock, windowMs, (delta) => sent.push([clock.monotonic(), delta]));
  return { clock, sent, deltas };
}

describe('DeltaCoalescer', () => {
  it('sends the first delta at once and joins those of the window that follows', () => {
    const { clock, sent, deltas } = coalescer();
    deltas.push('a');
    clock.advance(5);
    deltas.push('b');
    clock.advance(10);
    deltas.push('c');
    expect(sent).toEqual([[0, 'a']]);
    clock.advance(5);
    expect(sent).toEqual([
      [0, 'a'],
      [20, 'bc'],
    ]);
  });

  it('starts a new window with every frame, and delays nothing after a pause', () => {
    const { clock, sent, deltas } = coalescer();
    deltas.push('a');
    clock.advance(10);
    deltas.push('b');
    clock.advance(15);
    deltas.push('c');
    clock.advance(100);
    deltas.push('d');
    expect(sent).toEqual([
      [0, 'a'],
      [20, 'b'],
      [40, 'c'],
      [125, 'd'],
    ]);
  });

  // A model that yields without a pause gives timers no turn: the whole answer would be held, then sent at once.
  it('holds no more than a bounded length, whatever the window', () => {
    const { sent, deltas } = coalescer();
    const part = 'x'.repeat(1000);
    for (let pushed = 0; pushed < 100; pushed += 1) deltas.push(part);
    expect(Math.max(...sent.map(([, delta]) => delta.length))).toBeLessThan(18_000);
    deltas.flush();
    expect(sent.map(([, delta]) => delta).join('')).toBe(part.repeat(100));
  });

  it('sends what is held when flushed, once', () => {
    const { clock, sent, deltas } = coalescer();
    deltas.push('a');
    deltas.push('b');
    deltas.flush();
    deltas.flush();
    clock.advance(100);
    expect(sent).toEqual([
      [0, 'a'],
      [0, 'b'],
    ]);
  });

  // A client that has gone must get no frame from a timer that outlives the stream.
  it('sends nothing after a discard', () => {
    const { clock, sent, deltas } = coalescer();
    deltas.push('a');
    deltas.push('b');
    deltas.discard();
    clock.advance(100);
    deltas.flush();
    expect(sent).toEqual([[0, 'a']]);
  });

  it('ignores empty deltas', () => {
    const { clock, sent, deltas } = coalescer();
    deltas.push('');
    clock.advance(100);
    deltas.flush();
    expect(sent).toEqual([]);
  });

  it('holds nothing with a window of 0', () => {
    const { sent, deltas } = coalescer(0);
    deltas.push('a');
    deltas.push('b');
    expect(sent.map(([, delta]) => delta)).toEqual(['a', 'b']);
  });

  it('keeps the halves of a surrogate pair together', () => {
    const { clock, sent, deltas } = coalescer();
    deltas.push('a\ud83d');
    clock.advance(50);
    deltas.push('\ude00b');
    expect(sent.map(([, delta]) => delta)).toEqual(['a', '😀b']);
    deltas.push('\ud83d');
    clock.advance(50);
    deltas.flush();
    expect(sent.at(-1)).toEqual([100, '\ud83d']);
  });

  it('loses and reorders nothing, and never sends two frames within a window before the flush', () => {
    const step = fc.record({ wait: fc.integer({ min: 0, max: 30 }), delta: fc.string({ unit: 'grapheme' }) });
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const { clock, sent, deltas } = coalescer();
        for (const { wait, delta } of steps) {
          clock.advance(wait);
          deltas.push(delta);
        }
        sent.slice(1).forEach(([at], position) => {
          expect(at - (sent[position]?.[0] ?? NaN)).toBeGreaterThanOrEqual(20);
        });
        deltas.flush();
        expect(sent.map(([, delta]) => delta).join('')).toBe(steps.map(({ delta }) => delta).join(''));
        expect(sent.every(([, delta]) => delta !== '')).toBe(true);
      }),
    );
  });
});
