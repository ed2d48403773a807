import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { LANGUAGES, type Language } from '../../kernel/languages.js';
import { Analyzer, analyzerFor } from './index.js';

const terms = async (text: string, language: Language = 'english'): Promise<string[]> =>
  (await analyzerFor(language)).terms(text);

/** Whether a question in one form finds a text in the other. */
async function meet(one: string, other: string, language: Language = 'english'): Promise<boolean> {
  return (await terms(one, language)).join() === (await terms(other, language)).join();
}

describe('words of Latin script', () => {
  it.each([
    ['forms of a word come together', 'Connections connected connecting', ['connect', 'connect', 'connect']],
    ['nouns in -ion are found by their verbs', 'execution selects', ['execut', 'select']],
    ['verbs find their nouns in -ion', 'execute selections', ['execut', 'select']],
    ['-ion is no ending of a short word', 'nation station passion', ['nation', 'station', 'passion']],
    ['stop words are left out, in any case', 'The harbour AND a boat of its own', ['harbour', 'boat']],
    ['order and repetitions are kept', 'boat harbour boat', ['boat', 'harbour', 'boat']],
    ['possessives are no words of their own', "John’s dog's bone", ['john', 'dog', 'bone']],
    ['an apostrophe does not part a word', "O'Brien o’brien", ['obrien', 'obrien']],
    ['contractions of stop words are stop words', "They don't; we’re not", []],
    ['numbers keep their decimals', 'Version 2.0 costs 1,000.50.', ['version', '2.0', 'cost', '1,000.50']],
    ['identifiers stay whole', 'MAX_RETRY_COUNT=3', ['max_retry_count', '3']],
    ['marks part words', 'foo@bar.com, e-mail/fax', ['foo', 'bar', 'com', 'e', 'mail', 'fax']],
    ['compatibility forms are folded', 'ﬁle ＡＢＣ ①', ['file', 'abc', '1']],
  ])('%s', async (_name, text, expected) => {
    expect(await terms(text)).toEqual(expected);
  });

  // People leave accents out when they ask; most of all in a language that has none.
  it.each<[Language, string]>([
    ['english', 'café naïve résumé cliché façade jalapeño Zoë'],
    ['english', 'İstanbul Ångström Dvořák'],
    ['french', 'élèves forêts français société générale réunions'],
    ['german', 'Häuser Bücher schön Änderungen'],
    ['spanish', 'canción años rápidamente teléfono'],
    ['turkish', 'müşteri çalışma öğretmen'],
  ])('accents do not matter (%s)', async (language, text) => {
    const plain = text.normalize('NFD').replace(/\p{M}/gu, '');
    expect(await terms(plain, language)).toEqual(await terms(text, language));
    expect(await terms(text.normalize('NFD'), language)).toEqual(await terms(text, language));
    expect(await terms(text, language)).toHaveLength(text.split(' ').length);
  });

  it.each<[Language, string, string]>([
    ['french', "l'école", 'école'],
    ['french', 'L’hôpital', 'hôpitaux'],
    ['french', "d'eau", 'eau'],
    ['italian', "dell'acqua", 'acqua'],
    ['italian', "un'amica", 'amiche'],
    ['irish', "d'athair", 'athair'],
  ])('an article that is written as one with its word is left out (%s: %s)', async (language, one, other) => {
    const [word] = await terms(one, language);
    expect(word).toBeDefined();
    expect((await terms(other, language))[0]?.slice(0, 4)).toBe(word?.slice(0, 4));
  });

  it('a word without an end is cut', async () => {
    expect(await terms('x'.repeat(5000))).toEqual(['x'.repeat(64)]);
    expect(await meet('9'.repeat(64), '9'.repeat(65))).toBe(true);
    expect(await terms(`a${'\u{10330}'.repeat(40)}`)).toEqual([`a${'\u{10330}'.repeat(31)}`]);
  });
});

describe('the language', () => {
  it.each<[Language, string, string]>([
    ['german', 'die Häuser der Stadt', 'Haus Städte'],
    ['french', 'les chevaux nationaux', 'cheval national'],
    ['spanish', 'las bibliotecas públicas', 'biblioteca pública'],
    ['dutch', 'de boeken', 'boek'],
    ['swedish', 'böckerna', 'böcker'],
    ['finnish', 'taloissa', 'talo'],
  ])('brings forms of a word together and knows the stop words: %s', async (language, one, other) => {
    expect(await meet(one, other, language)).toBe(true);
    expect(await meet(one, other, 'english')).toBe(false);
  });

  it('of a corpus in a language of another script leaves Latin words to English', async () => {
    expect(await terms('книги the connections', 'russian')).toEqual(await terms('книги the connections', 'english'));
    expect(await terms('the connections', 'arabic')).toEqual(['connect']);
  });

  it('decides for its script, where several languages share one', async () => {
    expect(await terms('книгата', 'bulgarian')).toEqual(await terms('книга', 'bulgarian'));
    expect(await terms('книгата', 'english')).toEqual(await terms('книгата', 'russian'));
  });

  it.each(LANGUAGES)('%s is there, and has terms for any text', async (language) => {
    expect((await terms('Harbour 2.0 гавань 港口 ท่าเรือ ميناء λιμάνι बंदरगाह', language)).length).toBeGreaterThan(7);
  });
});

describe('other scripts', () => {
  it.each([
    ['Chinese, as pairs of characters', '数据库的索引', ['数据', '据库', '库的', '的索', '索引']],
    ['Chinese, a single character', '中', ['中']],
    ['Japanese, with its long vowels', 'コーヒー豆', ['コー', 'ーヒ', 'ヒー', 'ー豆']],
    ['Japanese, in half width too', 'ｺｰﾋｰ', ['コー', 'ーヒ', 'ヒー']],
    ['Korean, word by word', '한국어 문장', ['한국어', '문장']],
    ['Thai, by dictionary', 'สวัสดีชาวโลก', ['สวัสดี', 'ชาว', 'โลก']],
    ['Cyrillic, with its stop words', 'Москва и московская', ['москв', 'московск']],
    ['Greek, the final sigma and accents apart', 'ΑΘΗΝΑ Αθήνας', ['αθην', 'αθην']],
    ['Arabic, without its article', 'المدرسة في مدرسة', ['مدرس', 'مدرس']],
    ['scripts in one text', '日本語 English русский 2.5 ไทย', ['日本', '本語', 'english', 'русск', '2.5', 'ไทย']],
    ['scripts in one word', 'iPhone手机壳v2', ['iphon', '手机', '机壳', 'v2']],
    ['characters beyond the basic plane', '𠮷野家', ['𠮷野', '野家']],
  ])('%s', async (_name, text, expected) => {
    expect(await terms(text)).toEqual(expected);
  });

  it('a question finds its words inside a longer text', async () => {
    const question = await terms('索引');
    expect(await terms('我们重建了数据库的索引。')).toEqual(expect.arrayContaining(question));
  });
});

describe('hasWord', () => {
  it.each(['a', 'the', '7', '中', 'ไ', '!a!', 'É', 'Ⓑ', '\u{1CCD7}'])('%j is something to search for', (text) => {
    expect(Analyzer.hasWord(text)).toBe(true);
  });
  it.each(['', ' \n', '!!! … ¿?', '—', '_', '😀', '\u0301', '\0'])('%j is not', (text) => {
    expect(Analyzer.hasWord(text)).toBe(false);
  });
});

describe('any text', () => {
  /** A word is cut at 64; its stem may be a few letters longer. */
  const LONGEST = 70;
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 60 }),
    fc.string({ unit: fc.constantFrom(...`aéß's’"\\_.,2 the中ー漢ไทยкиعرबः1️⃣ﬁİ\u{10330}😀`), maxLength: 60 }),
  );

  // A term goes into a statement between quotes, and into the index of every customer: see lexemes.ts.
  it('has terms of letters, digits, marks and decimals only, none of them empty or long', async () => {
    const analyzers = await Promise.all(LANGUAGES.map(analyzerFor));
    fc.assert(
      fc.property(text, fc.constantFrom(...analyzers), (given, analyzer) => {
        for (const term of analyzer.terms(given)) {
          expect(term).toMatch(/^[\p{L}\p{M}\p{N}_.,]+$/u);
          expect(term.length).toBeLessThanOrEqual(LONGEST);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('has the same terms whatever was analysed before, and none without a word', async () => {
    const analyzer = await analyzerFor('english');
    fc.assert(
      fc.property(text, (given) => {
        const first = analyzer.terms(given);
        expect(analyzer.terms(given)).toEqual(first);
        if (!Analyzer.hasWord(given)) expect(first.filter((term) => !/^[_\p{M}]+$/u.test(term))).toEqual([]);
      }),
    );
  });

  it('is analysed in linear time: a question of 32,000 characters takes moments', async () => {
    const analyzer = await analyzerFor('english');
    const hostile = [
      "a'".repeat(16_000),
      '1,'.repeat(16_000),
      '中'.repeat(32_000),
      'ไ'.repeat(32_000),
      'é'.repeat(32_000),
    ];
    const started = performance.now();
    for (const given of hostile) analyzer.terms(given);
    expect(performance.now() - started).toBeLessThan(5000);
  });
});
