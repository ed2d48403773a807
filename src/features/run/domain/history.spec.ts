import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { estimateTokens, windowHistory, type ChatMessage } from './history.js';

const user = (content: string): ChatMessage => ({ role: 'user', content });
const assistant = (content: string): ChatMessage => ({ role: 'assistant', content });

describe('estimateTokens', () => {
  it.each([
    ['', 4, 0],
    ['a', 4, 1],
    ['a'.repeat(7), 4, 1],
    ['a'.repeat(8), 4, 2],
    ['😀'.repeat(8), 4, 2],
    ['a'.repeat(8), 2.5, 3],
  ])('of %j at %d characters per token is %d', (text, ratio, tokens) => {
    expect(estimateTokens(text, ratio)).toBe(tokens);
  });
});

describe('windowHistory', () => {
  it('keeps everything that fits, in order', () => {
    const messages = [user('one'), assistant('two'), user('three'), assistant('four')];
    expect(windowHistory(messages, 100, 4)).toEqual(messages);
  });

  it('drops the oldest, never part of a message, and begins with a question', () => {
    const messages = [user('aaaa'), assistant('bbbb'), user('cccc'), assistant('dddd')];
    expect(windowHistory(messages, 4, 4)).toEqual(messages);
    expect(windowHistory(messages, 3, 4)).toEqual(messages.slice(2));
    expect(windowHistory(messages, 2, 4)).toEqual(messages.slice(2));
    expect(windowHistory(messages, 1, 4)).toEqual([]);
    expect(windowHistory(messages, 0, 4)).toEqual([]);
  });

  it('does not reach past a message that is too long', () => {
    const messages = [user('a'), assistant('b'.repeat(400)), user('c'), assistant('d')];
    expect(windowHistory(messages, 50, 4)).toEqual(messages.slice(2));
  });

  it('keeps questions that got no answer', () => {
    expect(windowHistory([user('a'), user('b')], 10, 4)).toEqual([user('a'), user('b')]);
  });

  it('leaves out blank messages', () => {
    expect(windowHistory([user('a'), assistant(''), user('b')], 10, 4)).toEqual([user('a'), user('b')]);
  });

  it('is a suffix within the budget that begins with a question', () => {
    const message = fc.record({
      role: fc.constantFrom<ChatMessage['role']>('user', 'assistant'),
      content: fc.string({ minLength: 1, maxLength: 60 }).map((text) => `${text}.`),
    });
    fc.assert(
      fc.property(fc.array(message), fc.integer({ min: 0, max: 80 }), (messages, budget) => {
        const kept = windowHistory(messages, budget, 4);
        expect(kept).toEqual(messages.slice(messages.length - kept.length));
        expect(kept[0]?.role ?? 'user').toBe('user');
        const tokens = kept.reduce((sum, { content }) => sum + estimateTokens(content, 4), 0);
        expect(tokens).toBeLessThanOrEqual(budget);
      }),
    );
  });
});
