import { describe, expect, it } from '@jest/globals';
import { acceptLabels, acceptMetadata, parseMetadata } from './metadata.js';

describe('acceptMetadata', () => {
  it('keeps what was sent and makes labels text', () => {
    const metadata = { author: 'A', labels: { sensitivity: 'high', level: 3, draft: false } };
    expect(acceptMetadata(metadata)).toEqual({
      ok: true,
      metadata,
      labels: { sensitivity: 'high', level: '3', draft: 'false' },
    });
  });

  // An overwrite keeps the labels when the metadata does not mention them, and removes them when it says there are none.
  it('tells absent labels from no labels', () => {
    expect(acceptMetadata(undefined)).toEqual({ ok: true, metadata: {}, labels: undefined });
    expect(acceptMetadata(null)).toEqual({ ok: true, metadata: {}, labels: undefined });
    expect(acceptMetadata({ labels: {} })).toEqual({ ok: true, metadata: { labels: {} }, labels: {} });
  });

  it.each([
    ['a list', [1], 'metadata_json must be an object'],
    ['a text', 'x', 'metadata_json must be an object'],
    ['null labels', { labels: null }, 'metadata_json.labels must be an object'],
    ['a list of labels', { labels: ['a'] }, 'metadata_json.labels must be an object'],
    ['a nested label', { labels: { a: {} } }, 'strings, numbers or booleans'],
    ['a null label', { labels: { a: null } }, 'strings, numbers or booleans'],
    ['an empty label key', { labels: { '': 'x' } }, 'keys of 1 to 128'],
    ['a long label key', { labels: { ['k'.repeat(129)]: 'x' } }, 'keys of 1 to 128'],
    ['too much', { a: 'x'.repeat(33_000) }, '32 KB'],
  ])('refuses %s', (_name, given, reason) => {
    expect(acceptMetadata(given)).toEqual({ ok: false, reason: expect.stringContaining(reason) });
  });

  // The database refuses these inside JSON, which would be an internal error instead of an answer to the sender.
  it.each([
    ['NUL in a value', { a: ['x\0'] }],
    ['NUL in a key', { 'x\0': 1 }],
    ['a lone surrogate', { a: { b: '\ud800' } }],
  ])('refuses %s', (_name, given) => {
    expect(acceptMetadata(given)).toEqual({ ok: false, reason: expect.stringContaining('NUL characters') });
  });

  // JSON bodies are refused for these before they get here; a form field arrives as text.
  it.each(['{"__proto__":{"a":1}}', '{"labels":{"constructor":"x"}}', '{"a":[{"toString":1}]}'])(
    'refuses reserved keys in %s',
    (json) => {
      expect(parseMetadata(json)).toEqual({ ok: false, reason: expect.stringContaining('reserved names') });
    },
  );

  it('takes characters beyond the basic plane and the text of an escape', () => {
    expect(acceptMetadata({ a: '😀', b: '\\u0000' }).ok).toBe(true);
  });
});

describe('acceptLabels', () => {
  it('makes labels text', () => {
    expect(acceptLabels({ level: 3, draft: false })).toEqual({ ok: true, labels: { level: '3', draft: 'false' } });
  });

  it.each([
    ['a list', [], 'labels must be an object'],
    ['a null label', { a: null }, 'labels must have strings, numbers or booleans'],
    ['an empty key', { '': 'x' }, 'labels must have keys of 1 to 128'],
    ['a NUL character', { a: '\0' }, 'labels must not contain NUL'],
    ['too much', { a: 'x'.repeat(33_000) }, 'labels must not be larger than 32 KB'],
  ])('refuses %s', (_name, given, reason) => {
    expect(acceptLabels(given)).toEqual({ ok: false, reason: expect.stringContaining(reason) });
  });
});

describe('parseMetadata', () => {
  it('reads the form field', () => {
    expect(parseMetadata('{"a":1}')).toMatchObject({ ok: true, metadata: { a: 1 } });
    expect(parseMetadata(undefined)).toMatchObject({ ok: true, metadata: {} });
  });

  it.each(['', '{', 'nope'])('refuses %j', (json) => {
    expect(parseMetadata(json)).toEqual({ ok: false, reason: 'metadata_json must be valid JSON' });
  });

  it.each(['[1]', '"x"', '1'])('refuses %s', (json) => {
    expect(parseMetadata(json)).toEqual({ ok: false, reason: 'metadata_json must be an object' });
  });

  it('survives any nesting', () => {
    const deep = `{"a":${'['.repeat(20_000)}${']'.repeat(20_000)}}`;
    expect(parseMetadata(deep)).toEqual({ ok: false, reason: expect.stringContaining('nested deeper') });
  });
});
