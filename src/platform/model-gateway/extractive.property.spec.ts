import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { ChatPassage } from './chat-model.js';
import { composeAnswer, NOTHING_FITS, selectQuotes } from './extractive.js';

const word = fc.oneof(
  fc.constantFrom(
    'release',
    'gates',
    'Agent',
    '2.0',
    'the',
    'tests',
    'passed',
    '[3]',
    '[1, 2]',
    '办公室',
    'für',
    '#',
    '-',
    '1.',
  ),
  fc.string({ unit: 'grapheme', maxLength: 8 }),
);
const gap = fc.constantFrom(' ', ' ', '. ', '.\n', '\n', '\n\n', ':\n- ', '\r\n');
const text = fc
  .array(fc.tuple(word, gap), { maxLength: 60 })
  .map((parts) => parts.map(([part, space]) => part + space).join(''));
const passages: fc.Arbitrary<ChatPassage[]> = fc
  .array(text, { maxLength: 6 })
  .map((texts) => texts.map((content, position) => ({ index: position + 1, source: 's', text: content })));
const question = fc.oneof(text, fc.constant('What are the release gates for Agent 2.0?'));

describe('composeAnswer', () => {
  // An invented or misattributed sentence is the one thing that this model must never produce.
  it('emits only parts of the cited passage', () => {
    fc.assert(
      fc.property(question, passages, (asked, given) => {
        for (const quote of selectQuotes(asked, given)) {
          const source = given.find(({ index }) => index === quote.index);
          expect(source?.text).toContain(quote.text);
          expect(quote.text).not.toMatch(/\[\d+\]/);
          expect(quote.text).toMatch(/[\p{L}\p{N}]/u);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('cites only given passages, at least one unless nothing fits, and is deterministic', () => {
    fc.assert(
      fc.property(question, passages, (asked, given) => {
        const answer = composeAnswer(asked, given);
        const cited = [...answer.matchAll(/\[(\d+)\]/g)].map((match) => Number(match[1]));
        expect(cited.every((index) => index >= 1 && index <= given.length)).toBe(true);
        expect(cited.length > 0).toBe(answer !== NOTHING_FITS);
        expect(cited.length).toBeLessThanOrEqual(3);
        expect(composeAnswer(asked, given)).toBe(answer);
      }),
      { numRuns: 500 },
    );
  });
});
