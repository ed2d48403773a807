import { describe, expect, it } from '@jest/globals';
import { chunkText, chunkV1 } from './chunker.js';

const WHOLE = { limit: Infinity, paginated: false };
const params = { size: 20, overlap: 5 };

describe('chunkText', () => {
  // Documents keep the chunker they were made with: their citations must not move.
  it('makes the same chunks as ever with v1', () => {
    const text = `# A\n\nb\n\n${'x'.repeat(45)}`;
    expect(chunkText('v1', text, params, WHOLE)).toEqual(chunkV1(text, params));
    expect(chunkText('v1', text, params, WHOLE).map(({ text }) => text)).toContain('b');
  });

  it('packs with v2 and names the section', () => {
    expect(chunkText('v2', '# A\n\nb', params, WHOLE)).toEqual([
      { index: 0, text: '# A\n\nb', offsetStart: 0, offsetEnd: 6, page: null, section: 'A' },
    ]);
  });

  it.each(['v1', 'v2'] as const)('hands the limit to %s', (version) => {
    const text = 'x'.repeat(1000);
    expect(chunkText(version, text, params, { limit: 3, paginated: true })).toHaveLength(4);
  });

  it('tells the page that a chunk starts on, also behind empty pages and astral characters', () => {
    const text = ['😀😀 first page.', '', 'Second text. Long one.', 'last'].join('\f');
    const chunks = chunkText('v2', text, params, { limit: Infinity, paginated: true });
    expect(chunks.map(({ text, page }) => [text, page])).toEqual([
      ['😀😀 first page.', 1],
      ['Second text.', 3],
      ['text. Long one.', 3],
      ['last', 4],
    ]);
  });

  it('knows no pages unless the text has them', () => {
    const chunks = chunkText('v2', `${'x'.repeat(15)}\fb`, params, WHOLE);
    expect(chunks.map(({ page }) => page)).toEqual([null, null]);
  });

  it('gives the page where a chunk of several pages starts', () => {
    const chunks = chunkText('v2', 'a\fb\fc', params, { limit: Infinity, paginated: true });
    expect(chunks).toMatchObject([{ text: 'a\fb\fc', page: 1 }]);
  });
});
