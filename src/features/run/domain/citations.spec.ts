import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { citationsFor, citedIndexes, MarkerFilter, type RetrievedChunk } from './citations.js';

const chunk = (over: Partial<RetrievedChunk> = {}): RetrievedChunk => ({
  chunkId: 'c1',
  documentId: 'd1',
  source: 'document://d1',
  text: 'text',
  score: 0.5,
  metadata: { filename: 'a.txt', offset_start: 0, offset_end: 4, page: 2 },
  ...over,
});

function filtered(count: number, deltas: readonly string[]): string {
  const filter = new MarkerFilter(count);
  return deltas.map((delta) => filter.push(delta)).join('') + filter.end();
}

describe('citationsFor', () => {
  it('lists every chunk in rank order and marks those that the answer uses', () => {
    const chunks = [chunk(), chunk({ chunkId: 'c2' }), chunk({ chunkId: 'c3' })];
    const citations = citationsFor(chunks, 'So it is [3]. And [1, 3] too.');
    expect(citations.map(({ index, chunk_id, cited }) => [index, chunk_id, cited])).toEqual([
      [1, 'c1', true],
      [2, 'c2', false],
      [3, 'c3', true],
    ]);
  });

  it('has all fields, null where the provider knows nothing', () => {
    const foreign = chunk({ chunkId: null, documentId: null, source: 's3://b/k', metadata: { page: 'iv', x: 1 } });
    expect(citationsFor([chunk(), foreign], '[1]')).toEqual([
      {
        index: 1,
        chunk_id: 'c1',
        document_id: 'd1',
        filename: 'a.txt',
        page: 2,
        offset_start: 0,
        offset_end: 4,
        source: 'document://d1',
        score: 0.5,
        cited: true,
        metadata: { filename: 'a.txt', offset_start: 0, offset_end: 4, page: 2 },
      },
      {
        index: 2,
        chunk_id: null,
        document_id: null,
        filename: null,
        page: null,
        offset_start: null,
        offset_end: null,
        source: 's3://b/k',
        score: 0.5,
        cited: false,
        metadata: { page: 'iv', x: 1 },
      },
    ]);
  });

  it.each(['1', '[ ]', '[a1]', '[1', '1]', '[1.]', '[1;]', '(1)'])('takes %j for no marker', (answer) => {
    expect(citationsFor([chunk()], answer)[0]?.cited).toBe(false);
  });
});

describe('MarkerFilter', () => {
  it.each([
    ['Yes [1]. No [3].', 'Yes [1]. No .'],
    ['[0][1][2][3]', '[1][2]'],
    ['[5,7]', ''],
    ['[1,7]', '[1]'],
    ['[7, 2, 1]', '[2, 1]'],
    ['[1,2]', '[1,2]'],
    ['[ 9 ]', ''],
    ['a[[9]7] [[1]7] [[9]1] [[9]x]', 'a [[1]7] [1] [x]'],
    ['list[i] [x] [] [ ] [1a] [2', 'list[i] [x] [] [ ] [1a] [2'],
    ['[99999999999999999999999]', ''],
    ['see [2](https://a.b/c)', 'see [2](https://a.b/c)'],
  ])('with two chunks makes %j into %j', (text, expected) => {
    expect(filtered(2, [text])).toBe(expected);
  });

  it('drops every marker when nothing was retrieved', () => {
    expect(filtered(0, ['a [1] b [0]'])).toBe('a  b ');
  });

  it('holds back only what may become a marker', () => {
    const filter = new MarkerFilter(1);
    expect(filter.push('so it is [')).toBe('so it is ');
    expect(filter.push('1')).toBe('');
    expect(filter.push(']. And [9')).toBe('[1]. And ');
    expect(filter.push('] ')).toBe(' ');
    expect(filter.push('[12')).toBe('');
    expect(filter.push('th]')).toBe('[12th]');
    expect(filter.push('end [1')).toBe('end ');
    expect(filter.end()).toBe('[1');
    expect(filter.end()).toBe('');
  });

  const markerSoup = fc
    .array(fc.oneof(fc.constantFrom('[', ']', '[1]', '[9]', '1', '9', ',', ' ', '0', 'x', '😀'), fc.string()))
    .map((parts) => parts.join(''));
  const count = fc.integer({ min: 0, max: 12 });

  it('does not depend on how the text is cut into deltas', () => {
    fc.assert(
      fc.property(markerSoup, count, fc.array(fc.nat({ max: 5 })), (text, sources, cuts) => {
        const deltas: string[] = [];
        let rest = text;
        for (const cut of cuts) {
          deltas.push(rest.slice(0, cut));
          rest = rest.slice(cut);
        }
        expect(filtered(sources, [...deltas, rest])).toBe(filtered(sources, [text]));
        expect(filtered(sources, text.split(''))).toBe(filtered(sources, [text]));
      }),
      { numRuns: 500 },
    );
  });

  // A marker without a source looks like evidence that does not exist.
  it('lets no marker without a source through', () => {
    fc.assert(
      fc.property(markerSoup, count, (text, sources) => {
        const numbers = [...citedIndexes(filtered(sources, [text]))];
        expect(numbers.filter((number) => number < 1 || number > sources)).toEqual([]);
      }),
      { numRuns: 1000 },
    );
  });

  it('changes nothing else', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary' }).map((text) => text.replaceAll('[', '('))), (deltas) => {
        const filter = new MarkerFilter(3);
        for (const delta of deltas) expect(filter.push(delta)).toBe(delta);
        expect(filter.end()).toBe('');
      }),
    );
    fc.assert(
      fc.property(markerSoup, (text) => {
        const valid = text.replace(/\d/g, '1').replace(/11+/g, '1');
        expect(filtered(1, [valid])).toBe(valid);
      }),
    );
  });
});
