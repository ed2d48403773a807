import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Chunk } from './chunk.js';
import { chunkV2 } from './chunker-v2.js';
import { normaliseText } from './source-text.js';

const chunk = (text: string, size: number, overlap = 0): Chunk[] => chunkV2(text, { size, overlap });
const texts = (text: string, size: number, overlap = 0): string[] => chunk(text, size, overlap).map(({ text }) => text);
const lengths = (text: string, size: number, overlap = 0): number[] =>
  chunk(text, size, overlap).map(({ offsetStart, offsetEnd }) => offsetEnd - offsetStart);

/** Exactly `length` code points that end a sentence. */
const sentence = (length: number, letter = 'a'): string => `${letter.toUpperCase()}${letter.repeat(length - 2)}.`;
const join = (...parts: string[]): string => parts.join('\n\n');

describe('packing', () => {
  it('fills a chunk with short paragraphs and list items, up to exactly the size', () => {
    const text = join('one', 'two', '- item', '- more', 'last of them');
    expect(texts(text, text.length)).toEqual([text]);
    expect(texts(text, text.length - 1)).toEqual([join('one', 'two', '- item', '- more'), 'last of them']);
  });

  it('keeps a paragraph whole that fits a chunk of its own', () => {
    const long = sentence(95);
    expect(texts(join('short', long, 'short'), 100)).toEqual(['short', long, 'short']);
  });

  it('trims white space at the ends of chunks, and has no chunk for a blank text', () => {
    expect(chunk(' \n\t one \u3000\n\n', 100)).toMatchObject([{ index: 0, text: 'one', offsetStart: 4, offsetEnd: 7 }]);
    expect(chunk(' \n\f\n\t\n\n', 100)).toEqual([]);
    expect(chunk('', 100)).toEqual([]);
  });
});

describe('headings', () => {
  it('starts a chunk at a heading of the same or a higher level when a section is not small', () => {
    const text = join('# A', sentence(60), '# B', sentence(30), '## C', sentence(70));
    expect(texts(text, 100)).toEqual([
      join('# A', sentence(60)),
      join('# B', sentence(30)),
      join('## C', sentence(70)),
    ]);
  });

  it('runs on into a subsection that fits', () => {
    const text = join('# A', sentence(60), '## B', sentence(20));
    expect(texts(text, 100)).toEqual([text]);
  });

  it('packs small sections, and cuts before one that does not fit or is not small', () => {
    const small = ['# A\na', '# B\nb', '# C\nc'].join('\n');
    expect(texts(small, 100)).toEqual([small]);
    expect(texts(small, '# A\na\n# B\nb'.length)).toEqual(['# A\na\n# B\nb', '# C\nc']);
    expect(texts(small, '# A\na\n# B\n'.length)).toEqual(['# A\na', '# B\nb', '# C\nc']);
    const big = join('# Big', sentence(60), sentence(60));
    expect(texts(join('# A\na', big), 100)[0]).toBe('# A\na');
  });

  // One chunk per line would bury a table of contents, and fill an index with headings that answer nothing.
  it('packs ten thousand sections with one heading each, with a body and without', () => {
    const bare = Array.from({ length: 10_000 }, (_, n) => `# Title ${n}`);
    const chunks = chunk(bare.join('\n'), 1200);
    expect(chunks.length).toBeLessThan(150);
    expect(chunks.map(({ text }) => text).join('\n')).toBe(bare.join('\n'));
    const full = bare.map((title) => `${title}\n\nBody of it.`);
    expect(chunk(full.join('\n\n'), 1200).every(({ text }) => text.startsWith('# ') && text.endsWith('it.'))).toBe(
      true,
    );
  });

  it('keeps headings with the paragraph below, of which as much comes along as fits', () => {
    const sentences = [sentence(40, 'b'), sentence(40, 'c')];
    const text = join(sentence(70), '# A', '## B', sentences.join(' '));
    expect(texts(text, 90)).toEqual([sentence(70), join('# A', '## B', sentences[0] ?? ''), sentences[1]]);
  });

  it('cuts a heading that is longer than a chunk', () => {
    expect(texts(`# ${'word '.repeat(20)}\n\ntext`, 50).every((text) => text.length <= 50)).toBe(true);
  });

  it.each([
    ['English', '# Travel\n\n## Expenses\n\nKeep receipts.', 'Travel > Expenses'],
    ['Chinese, underlined', '差旅\n====\n\n费用\n----\n\n保留收据。', '差旅 > 费用'],
    ['Arabic', '# السفر\n\n## المصاريف\n\nاحتفظ بالإيصالات.', 'السفر > المصاريف'],
    ['Russian', '# Поездки\n\n## Расходы\n\nСохраняйте чеки.', 'Поездки > Расходы'],
  ])('names the headings above a chunk: %s', (_language, text, section) => {
    const chunks = chunk(`${text}\n\n${sentence(80)}`, 90);
    expect(chunks.at(-1)?.section).toBe(section);
  });

  it('names only the headings that hold for the whole chunk', () => {
    expect(chunk('# Doc\n\n## A\n\na\n\n## B\n\nb', 100).map(({ section }) => section)).toEqual(['Doc']);
    expect(chunk('# A\n\na\n\n# B\n\nb', 100).map(({ section }) => section)).toEqual([null]);
    const level = join('# Doc', '## A', '### Deep', sentence(90), '## B', sentence(90));
    expect(chunk(level, 120).map(({ section }) => section)).toEqual(['Doc > A > Deep', 'Doc > B']);
    expect(chunk(join(sentence(90), '# A', sentence(90)), 100).map(({ section }) => section)).toEqual([null, 'A']);
  });

  it('leaves the highest headings out of a section above 300 code points', () => {
    const text = join(`# ${'ж'.repeat(200)}`, `## ${'x'.repeat(90)}`, `### ${'😀'.repeat(200)}`, 'text');
    expect(chunk(text, 1200)[0]?.section).toBe(`${'x'.repeat(90)} > ${'😀'.repeat(200)}`);
  });
});

describe('long paragraphs', () => {
  it.each([
    ['English', 'The fee is 3.5 percent. Is it due today? Yes, at noon! Pay it here.', 30],
    ['Chinese', '这是第一句话。这是第二句话吗？这是第三句话！这是第四句话。', 15],
    ['Arabic', 'هل وصل الطلب اليوم؟ نعم وصل في الصباح. شكرا جزيلا لكم!', 25],
    ['Russian', 'Это первое предложение. Это второе? Да, третье! И ещё одно.', 30],
    ['mixed', 'API 返回错误。Try again later. Попробуйте снова! حاول مرة أخرى؟', 25],
  ])('are cut at the ends of sentences: %s', (_language, text, size) => {
    const found = texts(text, size);
    expect(found.length).toBeGreaterThan(1);
    for (const piece of found) expect(piece).toMatch(/[.?!。？！؟]$/u);
    expect(found.join('').replace(/\s/g, '')).toBe(text.replace(/\s/g, ''));
  });

  it('repeat whole sentences, as many as the overlap holds', () => {
    const [a, b, c, d, e] = [
      sentence(30, 'a'),
      sentence(10, 'b'),
      sentence(10, 'c'),
      sentence(30, 'd'),
      sentence(40, 'e'),
    ];
    expect(texts([a, b, c, d, e].join(' '), 55, 25).slice(0, 2)).toEqual([[a, b, c].join(' '), [b, c, d].join(' ')]);
    expect(texts([a, b, c, d, e].join(' '), 55, 5).slice(0, 2)).toEqual([
      [a, b, c].join(' '),
      expect.stringContaining(d),
    ]);
  });

  it('repeat the last words of a sentence that is longer than the overlap', () => {
    const text = 'Alpha beta gamma delta epsilon zeta. Eta theta iota kappa lambda mu nu.';
    const [first, second] = texts(text, 50, 15);
    expect(first).toBe('Alpha beta gamma delta epsilon zeta.');
    expect(second).toBe('epsilon zeta. Eta theta iota kappa lambda mu nu.');
  });

  it('repeat nothing across paragraphs, headings and rows', () => {
    const rows = Array.from({ length: 6 }, (_, n) => `| row ${n} | ${'x'.repeat(20)} |`);
    expect(texts(rows.join('\n'), 70, 20)).toEqual([
      rows.slice(0, 2).join('\n'),
      rows.slice(2, 4).join('\n'),
      rows.slice(4, 6).join('\n'),
    ]);
    expect(texts(join(sentence(60), sentence(60)), 100, 50)).toEqual([sentence(60), sentence(60)]);
  });

  it('are cut at lines where lines mean something', () => {
    const list = Array.from({ length: 8 }, (_, n) => `- Item ${n}. It has two sentences.`);
    for (const piece of texts(list.join('\n'), 100)) expect(piece).toMatch(/^- Item[^]*sentences\.$/);
    const log = Array.from(
      { length: 9 },
      (_, n) => `2026-01-0${n} INFO started worker. pid=${n} queue=ingest state=ok`,
    );
    for (const piece of texts(log.join('\n'), 150)) expect(piece).toMatch(/^2026[^]*state=ok$/);
  });

  it('are read across the lines that running text was wrapped into', () => {
    const wrapped =
      'The committee met on Monday to discuss the budget for\nthe coming year. It agreed on most of the items but\nleft two of them open until the next meeting in May.';
    expect(texts(wrapped, 100)).toEqual([
      'The committee met on Monday to discuss the budget for\nthe coming year.',
      'It agreed on most of the items but\nleft two of them open until the next meeting in May.',
    ]);
    const chinese = '委员会在星期一开会讨论明年的预算安排和人员编制以及其他若干\n重要事项。会议同意了大部分内容。';
    expect(texts(chinese, 40)[0]).toMatch(/事项。$/);
  });

  it('without ends of sentences are cut between words, where possible at a pause', () => {
    for (const piece of texts('lorem ipsum dolor sit amet '.repeat(20), 60)) {
      expect(piece).toMatch(/^(lorem|ipsum|dolor|sit|amet)\b[^]*\b(lorem|ipsum|dolor|sit|amet)$/);
    }
    expect(texts('甲乙丙丁，戊己庚辛，壬癸子丑，寅卯辰巳', 12)[0]).toMatch(/，$/);
  });

  // Thai has no spaces between words: a cut at any letter would leave halves that no search finds.
  it('are cut between the words of Thai', () => {
    const words = ['ประเทศไทย', 'มี', 'ประชากร', 'จำนวน', 'มาก'];
    const text = words.join('').repeat(12);
    const ends = new Set(Array.from(new Intl.Segmenter('th', { granularity: 'word' }).segment(text), (s) => s.index));
    const cuts = chunk(text, 80).map(({ offsetStart }) => offsetStart);
    expect(cuts.length).toBeGreaterThan(3);
    for (const cut of cuts) expect(ends.has(cut)).toBe(true);
  });

  it('never cut within a grapheme that fits', () => {
    const family = '👩‍👩‍👧‍👦';
    for (const piece of texts(family.repeat(20), 20)) expect(piece.replaceAll(family, '')).toBe('');
    for (const piece of texts('e\u0301'.repeat(50), 7)) expect(piece.replaceAll('e\u0301', '')).toBe('');
    for (const piece of texts('🇩🇪🇫🇷'.repeat(9), 5)) expect(piece.replace(/🇩🇪|🇫🇷/gu, '')).toBe('');
  });

  it('cut a grapheme that is longer than a chunk between its code points', () => {
    expect(lengths(`a${'\u0301'.repeat(24)}`, 10)).toEqual([10, 10, 5]);
  });

  it('cut one endless word into windows that overlap', () => {
    expect(chunk('A'.repeat(2600), 1200, 150).map((c) => [c.offsetStart, c.offsetEnd])).toEqual([
      [0, 1200],
      [1050, 2250],
      [2100, 2600],
    ]);
  });

  it('end in two pieces of about equal length rather than in a tiny one', () => {
    const [first = 0, second = 0, ...more] = lengths(Array.from({ length: 11 }, () => sentence(9)).join(' '), 100);
    expect(more).toEqual([]);
    expect(Math.abs(first - second)).toBeLessThanOrEqual(10);
    const paragraphs = join(sentence(40), sentence(40), sentence(10));
    expect(texts(paragraphs, 90)).toEqual([sentence(40), join(sentence(40), sentence(10))]);
  });
});

describe('pages', () => {
  it('end a chunk that is at least half full', () => {
    expect(texts(`${sentence(50)}\f${sentence(20)}`, 100)).toEqual([sentence(50), sentence(20)]);
    expect(texts(`${sentence(49)}\f${sentence(20)}`, 100)).toEqual([`${sentence(49)}\f${sentence(20)}`]);
  });

  it('end a chunk that the next paragraph does not fit into', () => {
    const long = [sentence(70, 'b'), sentence(70, 'c')].join(' ');
    expect(texts(`${sentence(20)}\f${long}`, 100)[0]).toBe(sentence(20));
    expect(texts(join(sentence(20), long), 100)[0]).toBe(join(sentence(20), sentence(70, 'b')));
  });

  it('do not tear a heading from what follows it', () => {
    expect(texts(`${sentence(60)}\n\n# A\f${sentence(50)}`, 100)).toEqual([sentence(60), `# A\f${sentence(50)}`]);
  });
});

describe('code', () => {
  const code = '```\na = 1\n\n# b\nb = 2\n```';

  it('is kept whole when it fits', () => {
    const text = join(sentence(80), code, sentence(60));
    expect(texts(text, 100)).toEqual([sentence(80), join(code, sentence(60))]);
  });

  it('is cut at lines when it does not', () => {
    const lines = Array.from({ length: 10 }, (_, n) => `call(${n}). Then("x");`);
    const pieces = texts(['```js', ...lines, '```'].join('\n'), 60);
    for (const line of pieces.flatMap((piece) => piece.split('\n'))) expect(['```js', '```', ...lines]).toContain(line);
  });
});

const params = fc
  .integer({ min: 1, max: 60 })
  .chain((size) => fc.record({ size: fc.constant(size), overlap: fc.integer({ min: 0, max: size - 1 }) }));

/** Everything that the chunker treats in its own way, and noise. */
const source = fc
  .array(
    fc.oneof(
      { weight: 3, arbitrary: fc.constantFrom('\n\n', '\n', ' ', '\f', '\n\f\n', '\n \n', '\t', '\u3000') },
      fc.constantFrom(
        '\n# A\n',
        '\n## Bé\n\n',
        '\n### 中\n',
        '\nTitle\n===\n',
        '\nSub\n---\n',
        '\n```\n',
        '\n~~~~ x\n',
      ),
      fc.constantFrom(
        '- item ',
        '1. one ',
        '| a | b |',
        'Wait. ',
        'why? ',
        '这是一句话。',
        '好吗？',
        'هل؟ ',
        'Да! ',
        'ประเทศไทย',
      ),
      fc.constantFrom('👩‍👩‍👧‍👦', '🇩🇪', 'e\u0301', 'a\u0301\u0301\u0301', '한', '\u1112\u1161\u11ab', "can't ", '3.5'),
      fc.string({ unit: 'binary', maxLength: 20 }),
      fc.string({ unit: fc.constantFrom('a', 'é', '😀', '中', ' ', '.', '\n'), maxLength: 150 }),
    ),
    { maxLength: 25 },
  )
  .map((parts) => normaliseText(parts.join('')));

describe('for any text and parameters', () => {
  const check = (property: (text: string, size: number, overlap: number, chunks: Chunk[]) => void): void =>
    fc.assert(
      fc.property(source, params, (text, { size, overlap }) =>
        property(text, size, overlap, chunk(text, size, overlap)),
      ),
      { numRuns: 300 },
    );

  it('offsets slice back to the text of the chunk, and no chunk is longer than the size', () => {
    check((text, size, _overlap, chunks) => {
      const points = Array.from(text);
      chunks.forEach((chunk, position) => {
        expect(points.slice(chunk.offsetStart, chunk.offsetEnd).join('')).toBe(chunk.text);
        expect(chunk.text).toBe(chunk.text.trim());
        expect(chunk.index).toBe(position);
        expect(chunk.offsetEnd - chunk.offsetStart).toBeLessThanOrEqual(size);
        expect(chunk.offsetEnd).toBeGreaterThan(chunk.offsetStart);
      });
    });
  });

  it('every character that is not white space is in a chunk', () => {
    check((text, _size, _overlap, chunks) => {
      const uncovered = Array.from(text);
      for (const chunk of chunks) uncovered.fill(' ', chunk.offsetStart, chunk.offsetEnd);
      expect(uncovered.join('').trim()).toBe('');
    });
  });

  it('each chunk starts and ends behind the one before, and repeats at most the overlap', () => {
    check((_text, _size, overlap, chunks) => {
      chunks.slice(1).forEach((chunk, position) => {
        const before = chunks[position];
        expect(chunk.offsetStart).toBeGreaterThan(before?.offsetStart ?? NaN);
        expect(chunk.offsetEnd).toBeGreaterThan(before?.offsetEnd ?? NaN);
        expect((before?.offsetEnd ?? NaN) - chunk.offsetStart).toBeLessThanOrEqual(overlap);
      });
    });
  });

  it('cuts go between graphemes that fit a chunk', () => {
    check((text, size, _overlap, chunks) => {
      const inside = insideGraphemes(text, size);
      const points = Array.from(text);
      for (const { offsetStart, offsetEnd } of chunks) {
        expect(inside.has(offsetEnd)).toBe(false);
        // A mark on white space that was trimmed away stands alone.
        if (points[offsetStart - 1]?.trim() !== '') expect(inside.has(offsetStart)).toBe(false);
      }
    });
  });

  it('the limit changes nothing but the number of chunks', () => {
    fc.assert(
      fc.property(source, params, fc.nat({ max: 10 }), (text, given, limit) => {
        const all = chunkV2(text, given);
        expect(chunkV2(text, given, limit)).toEqual(all.slice(0, limit + 1));
      }),
    );
  });
});

/** Places, in code points, within graphemes that are not longer than a chunk. */
function insideGraphemes(text: string, size: number): Set<number> {
  const inside = new Set<number>();
  let start = 0;
  for (const { segment } of new Intl.Segmenter('und', { granularity: 'grapheme' }).segment(text)) {
    const { length } = Array.from(segment);
    for (let at = 1; at < length && length <= size; at += 1) inside.add(start + at);
    start += length;
  }
  return inside;
}

describe('chunkV2', () => {
  it('refuses parameters that could never finish', () => {
    expect(() => chunkV2('abc', { size: 100, overlap: 100 })).toThrow(RangeError);
  });

  // A few kilobytes with an overlap just below the size would otherwise fill the memory of a worker.
  it('stops one chunk past the limit', () => {
    expect(chunkV2('x'.repeat(50_000), { size: 1000, overlap: 990 }, 10)).toHaveLength(11);
    expect(chunkV2(join('aa', 'bb', 'cc', 'dd'), { size: 2, overlap: 0 }, 2)).toHaveLength(3);
  });

  // A quadratic scan would hold the worker's event loop for minutes on the largest accepted upload.
  it.each([
    ['small paragraphs', 'word word\n\n'],
    ['sentences of one paragraph', 'The quick brown fox jumps over the lazy dog. '],
    ['sentences without spaces', '这是一句很短的话。'],
    ['one endless word', 'é'],
    ['words without spaces', '我们在这里测试中文句子分割的速度'],
    ['headings', '# a\n'],
    ['rows', '| a | b | c |\n'],
    ['pages', 'p\f'],
    ['unclosed fences', '```x\n\n'],
    ['one endless grapheme', '\u0301'],
    ['blank lines', ' \n'],
  ])('chunks a million characters in linear time: %s', (_what, unit) => {
    const text = `x${unit.repeat(Math.ceil(1_000_000 / unit.length))}x`;
    const chunks = chunk(text, 1200, 150);
    expect(chunks.at(-1)?.text.endsWith('x')).toBe(true);
  });
});
