import { describe, expect, it } from '@jest/globals';
import type { ChatPassage } from './chat-model.js';
import { composeAnswer, NOTHING_FITS, selectQuotes } from './extractive.js';

const passages = (...texts: string[]): ChatPassage[] =>
  texts.map((text, position) => ({ index: position + 1, source: `doc ${position + 1}`, text }));

const AGENT = passages(
  'Agent 2.0 is the second generation of the support agent. Agent 2.0 answers in nine languages.',
  'Agent 2.0 release notes are published every Friday. The testing strategy of Agent 2.0 has three layers.',
  'Testing of Agent 2.0 runs nightly. The release gates for Agent 2.0 are zero open P1 defects, a regression pass rate of 98 percent and a signed security review. Agent 2.0 ships on Tuesdays.',
  'Owners of Agent 2.0 meet each week. The gates of the building open at eight.',
);

describe('composeAnswer', () => {
  // The subject of the corpus is in every passage; the answer must turn on what is asked about it.
  it('quotes the sentence that states the release gates first', () => {
    const quotes = selectQuotes('What are the release gates for Agent 2.0?', AGENT);
    expect(quotes[0]).toEqual({
      index: 3,
      text: 'The release gates for Agent 2.0 are zero open P1 defects, a regression pass rate of 98 percent and a signed security review.',
    });
    expect(quotes.map(({ text }) => text)).not.toContain('Agent 2.0 answers in nine languages.');
  });

  it('puts the marker behind each sentence', () => {
    expect(composeAnswer('Who signed the contract?', passages('The contract was signed by Ada. It is long.'))).toBe(
      'The contract was signed by Ada. [1]',
    );
  });

  it.each([
    ['no passages', 'What are the gates?', passages()],
    ['empty passages', 'What are the gates?', passages('', ' \n ')],
    ['no shared word', 'Who painted the Mona Lisa?', AGENT],
    ['only words without a topic', 'What is it about and how do they do that?', AGENT],
    ['an empty question', '', AGENT],
    ['one stray word of a long question', 'Which open tournament did Ferrero win against Verkerk in Paris?', AGENT],
  ])('says so when nothing fits: %s', (_name, question, given) => {
    expect(composeAnswer(question, given)).toBe(NOTHING_FITS);
  });

  it('matches the forms of a word', () => {
    const given = passages('Invoices are paid within thirty days. Cats sleep.');
    expect(composeAnswer('When is an invoice paid?', given)).toContain('thirty days. [1]');
    expect(composeAnswer('payment of invoicing', given)).toContain('thirty days. [1]');
  });

  it('keeps the sentences of one passage in their order', () => {
    const given = passages('Backups run at night. Cats sleep. Encrypted backups go to two regions.');
    const quotes = selectQuotes('backups', given);
    expect(quotes.map(({ text }) => text)).toEqual(['Backups run at night.', 'Encrypted backups go to two regions.']);
  });

  it('quotes an overlapping sentence once', () => {
    const quotes = selectQuotes('refunds', passages('Refunds take five days.', 'Refunds take five days. Ask support.'));
    expect(quotes).toEqual([{ index: 1, text: 'Refunds take five days.' }]);
  });

  it('keeps the items of an announced list', () => {
    const text =
      'Intro text here.\nThe release gates are:\n- all suites green\n- p95 below 2 s.\n\nOther matters follow.';
    expect(composeAnswer('What are the release gates?', passages(text))).toBe(
      'The release gates are:\n- all suites green\n- p95 below 2 s. [1]',
    );
  });

  it('keeps a heading with the sentence below it', () => {
    const text = '# Overview\nThe product has parts.\n\n# Release gates\nAll suites are green. No defect is open.';
    expect(selectQuotes('What are the release gates?', passages(text)).map((quote) => quote.text)).toEqual([
      'Release gates\nAll suites are green.',
    ]);
    expect(composeAnswer('Which defect blocks the release gates?', passages(text))).toContain('No defect is open. [1]');
  });

  // Passages come from uploaded files; one hostile line must not hold the event loop.
  it.each(['a', 'a ', '"', ' ', '-', '[1', 'ing', ':\n- '])('is fast on a long run of %j', (unit) => {
    const text = unit.repeat(20_000 / unit.length);
    const started = performance.now();
    composeAnswer('What are the release gates?', passages(text, `${text} gates`));
    expect(performance.now() - started).toBeLessThan(4000);
  });

  it('joins a sentence that was wrapped', () => {
    const text = 'Accounts that have been inactive for more than ninety days are closed\nand their data is deleted.';
    expect(composeAnswer('When are inactive accounts closed?', passages(text))).toBe(`${text} [1]`);
  });

  it('cuts out markers of the document itself', () => {
    expect(composeAnswer('boiling water', passages('Water boils at 100 degrees.[7] See [2, 3].'))).toBe(
      'Water boils at 100 degrees. [1]',
    );
  });

  it.each([
    ['Wann öffnen die Büros?', 'Die Büros öffnen um acht Uhr.', 'Die Katze schläft.'],
    ['办公室几点开门?', '办公室早上八点开门。', '猫在睡觉。'],
    ['Когда открывается офис?', 'Офис открывается в восемь.', 'Кошка спит.'],
    ['متى يفتح المكتب؟', 'يفتح المكتب في الثامنة.', 'القطة نائمة.'],
  ])('works beyond English: %s', (question, answer, other) => {
    expect(composeAnswer(question, passages(`${other} ${answer}`))).toBe(`${answer} [1]`);
  });
});
