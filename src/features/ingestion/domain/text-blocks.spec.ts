import { describe, expect, it } from '@jest/globals';
import { readBlocks } from './text-blocks.js';

const blocks = (text: string): string[] =>
  Array.from(readBlocks(text), ({ kind, level, title, start, end, startsPage }) => {
    const what = kind === 'heading' ? `h${level}(${title})` : kind;
    return `${startsPage ? 'page ' : ''}${what}: ${text.slice(start, end)}`;
  });

describe('readBlocks', () => {
  it('tells paragraphs by blank lines, also ones that hold spaces', () => {
    expect(blocks(' one \nstill one\n \t\n\ntwo\n')).toEqual(['prose: one \nstill one', 'prose: two']);
  });

  it('reads headings of both kinds', () => {
    const text = '# A #\ntext\n### B  ##\nTitle\n=====\nSub\n---\n   ###### C\n#\n';
    expect(blocks(text)).toEqual([
      'h1(A): # A #',
      'prose: text',
      'h3(B): ### B  ##',
      'h1(Title): Title\n=====',
      'h2(Sub): Sub\n---',
      'h6(C): ###### C',
      'h1(): #',
    ]);
  });

  it.each([
    ['#hashtag', 'no space'],
    ['####### seven', 'seven hashes'],
    ['    # code', 'indented'],
    ['two\nlines\n---', 'underline below two lines'],
    ['- item\n---', 'ruler below a list'],
    ['| a |\n---', 'ruler below a table'],
    ['---', 'ruler on its own'],
  ])('%j is no heading: %s', (text) => {
    expect(blocks(text)).toEqual([`prose: ${text.trim()}`]);
  });

  it('keeps a fenced block of code together, with the blank lines and hashes in it', () => {
    const code = '```sh\n# not a heading\n\nls\n```';
    expect(blocks(`before\n${code}\nafter`)).toEqual(['prose: before', `code: ${code}`, 'prose: after']);
    const tildes = '~~~~\n~~~\n```\n~~~~~';
    expect(blocks(tildes)).toEqual([`code: ${tildes}`]);
  });

  // An unclosed fence in a text that is no Markdown would hide every heading after it.
  it('takes a fence that nothing closes for text', () => {
    expect(blocks('```\nx\n\n# A\n')).toEqual(['prose: ```\nx', 'h1(A): # A']);
    expect(blocks('````\n```\n# A')).toEqual(['prose: ````\n```', 'h1(A): # A']);
  });

  it('starts a block after a form feed, within a line and within code', () => {
    expect(blocks('one\ftwo\n\f\n\fthree')).toEqual(['prose: one', 'page prose: two', 'page prose: three']);
    expect(blocks('```\nx\f```')).toEqual(['prose: ```\nx', 'page prose: ```']);
  });

  it('counts code points beside UTF-16 units', () => {
    const [, second] = Array.from(readBlocks('😀😀\n\né😀'));
    expect(second).toMatchObject({ start: 6, end: 9, startPoint: 4, endPoint: 6 });
  });

  it('shortens a title to 300 code points on one line', () => {
    const [block] = Array.from(readBlocks(`# a\t b ${'😀'.repeat(400)}`));
    expect(block?.title).toBe(`a b ${'😀'.repeat(296)}`);
  });
});
