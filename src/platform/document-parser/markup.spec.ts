import { describe, expect, it } from '@jest/globals';
import { TYPES } from '../../../test/factories/files.js';
import { parseFile } from '../../../test/harness/parser.js';

const html = (source: string | Buffer): Promise<string> => parseFile(source, TYPES.html);
const csv = (source: string | Buffer): Promise<string> => parseFile(source, TYPES.csv);

describe('HTML', () => {
  it('keeps headings, paragraphs, lists, tables and preformatted text, and drops what is not shown', async () => {
    const source = `<!doctype html><html><head><meta charset="utf-8"><title>Title</title>
      <style>p { color: red }</style><script>alert('<p>no</p>')</script></head><body>
      <nav><ul><li>Home</ul></nav>
      <h1>Penguins &amp; <em>krill</em></h1>
      <p>They
         eat&nbsp;krill.<br>And fish.
      <p>Unclosed, <b>bo</b>ld.</p>
      <div>In a <span>block</span><div>nested</div>after</div>
      <h3>Lists</h3>
      <ul><li>one<li>two<ul><li>two a</li><li><p>two b</p><p>more of b</p></li></ul></li><li>three</ul>
      <ol start="3"><li>x<li>y</ol>
      <table><caption>Prices</caption><thead><tr><th>Item<th>Price</thead>
        <tbody><tr><td>Fish<br>fresh<td>1&nbsp;€<tr><td colspan="2">Both<td>3</tbody></table>
      <table><tr><td>Second</td><td>table</td></tr></table>
      <pre>
def f():

    return "\f&lt;"   
</pre>
      <p hidden>hidden</p><p style="color:red; display: none">hidden</p><p aria-hidden="true">hidden</p>
      <template>hidden</template><svg><text>hidden</text></svg><input value="no"><p>The <wbr>end</p></body></html>`;
    expect(await html(source)).toBe(`# Penguins & krill

They eat krill.
And fish.

Unclosed, bold.

In a block

nested

after

### Lists

- one
- two
  - two a
  - two b
    more of b
- three

3. x
4. y

Prices

Item | Price
Fish fresh | 1 €
Both |  | 3

Second | table

def f():

    return " <"

The end`);
  });

  it('reads a page that is laid out with tables as text', async () => {
    const source = '<table><tr><td><p>One</p><p>Two</p><table><tr><td>a</td><td>b</td></tr></table></td></tr></table>';
    expect(await html(source)).toBe('One\n\nTwo\n\na | b');
  });

  it('shows a page without an end of its head', async () => {
    expect(await html('<head><title>t</title><meta charset=utf-8><p>Shown')).toBe('Shown');
  });

  it.each<[string, Buffer, string]>([
    ['UTF-8 without a declaration', Buffer.from('<p>你好，世界 مرحبا Привет 🐧'), '你好，世界 مرحبا Привет 🐧'],
    ['UTF-16 with a mark', Buffer.from('\uFEFF<p>你好</p>', 'utf16le'), '你好'],
    ['a meta charset', Buffer.from('<meta charset="windows-1251"><p>\xcf\xf0\xe8\xe2\xe5\xf2', 'latin1'), 'Привет'],
    [
      'an older meta element',
      Buffer.from(
        '<meta http-equiv="Content-Type" content="text/html; charset=shift_jis"><p>\x93\xfa\x96\x7b',
        'latin1',
      ),
      '日本',
    ],
    ['bytes that are no UTF-8', Buffer.from('<p>\x93caf\xe9\x94 \x80', 'latin1'), '“café” €'],
  ])('reads %s', async (_what, source, text) => {
    expect(await html(source)).toBe(text);
  });

  it('reads XHTML in the encoding that it declares', async () => {
    const source = Buffer.from(
      '<?xml version="1.0" encoding="ISO-8859-1"?><html xmlns="http://www.w3.org/1999/xhtml"><head><script src="x"/></head><body><p>caf\xe9</p><hr/><p>b<br/>c</p></body></html>',
      'latin1',
    );
    expect(await parseFile(source, TYPES.xhtml)).toBe('café\n\nb\nc');
  });

  // Unpaired halves and NUL cannot be stored, and a form feed would count as a page.
  it('yields only what can be stored', async () => {
    expect(await html('<p>a&#0;b&#xD800;c\fd&#12;e\u0007f\r\ng</p>')).toBe('a\uFFFDb\uFFFDc d ef g');
  });

  it.each(['', '<p> </p>', '<script>x</script>', '<div hidden>x</div>'])('%j is without text', async (source) => {
    await expect(html(source)).rejects.toMatchObject({ code: 'FILE_WITHOUT_TEXT' });
  });

  it('stays within its time on tags that are never closed', async () => {
    expect(await html(`${'<div>'.repeat(20_000)}deep${'<table><tr><td>'.repeat(2000)}x`)).toContain('deep');
  });
});

describe('CSV', () => {
  it.each<[string, string | Buffer, string]>([
    [
      'commas and quotes',
      'Name,Note\r\nAda,"says ""hi"", twice"\r\n\r\nBob,"two\r\nlines"\r\n',
      'Name | Note\nAda | says "hi", twice\nBob | two lines',
    ],
    ['semicolons around decimal commas', 'a;b\n1,5;2,5\n3,5;4,5', 'a | b\n1,5 | 2,5\n3,5 | 4,5'],
    ['tabs', 'a\tb, c\n1\t2, 3', 'a | b, c\n1 | 2, 3'],
    ['bars', 'a|b\n1|2', 'a | b\n1 | 2'],
    ['one column', 'Word\nkrill\nfish', 'Word\nkrill\nfish'],
    ['rows of different lengths', 'a,b,c\n1\n1,2,3,4\n,,\n', 'a | b | c\n1\n1 | 2 | 3 | 4'],
    ['UTF-8 with a mark', '\uFEFF城市,人口\n北京,2189\nالقاهرة,1010', '城市 | 人口\n北京 | 2189\nالقاهرة | 1010'],
    ['UTF-16', Buffer.from('\uFEFFa,б\n1,2', 'utf16le'), 'a | б\n1 | 2'],
    ['windows-1252', Buffer.from('caf\xe9;\x80\n1;2', 'latin1'), 'café | €\n1 | 2'],
    ['quotes that do not match', 'size,name\n5" disk,x\n"7,y', 'size | name\n5" disk | x\n"7 | y'],
  ])('reads %s', async (_what, source, text) => {
    expect(await csv(source)).toBe(text);
  });

  it.each<[string, Buffer, string]>([
    ['nothing', Buffer.from('\n , \n'), 'FILE_WITHOUT_TEXT'],
    ['bytes that are no text', Buffer.from([1, 0, 2, 0, 0xff]), 'FILE_CORRUPT'],
    ['a PDF', Buffer.from('%PDF-1.7\n...'), 'FILE_CORRUPT'],
    ['an archive', Buffer.from('PK\u0003\u0004...'), 'FILE_CORRUPT'],
  ])('refuses %s', async (_what, source, code) => {
    await expect(csv(source)).rejects.toMatchObject({ code });
  });

  it('with more text than allowed is too large', async () => {
    await expect(parseFile('abc,def\n'.repeat(100), TYPES.csv, { PARSER_MAX_TEXT_CHARS: '500' })).rejects.toMatchObject(
      {
        code: 'FILE_TOO_LARGE',
        message: 'The file holds more text than one document may. Split it and send the parts.',
      },
    );
  });
});
