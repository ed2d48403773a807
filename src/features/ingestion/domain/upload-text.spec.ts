import { describe, expect, it } from '@jest/globals';
import { decodeUpload, isTextType, parseContentType } from './upload-text.js';

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

describe('parseContentType', () => {
  it.each([
    ['text/plain', { mediaType: 'text/plain' }],
    ['text/plain; charset=utf-8', { mediaType: 'text/plain', charset: 'utf-8' }],
    ['TEXT/Markdown;Charset="ISO-8859-1"; x=y', { mediaType: 'text/markdown', charset: 'iso-8859-1' }],
    ['', undefined],
    ['text', undefined],
    ['text/ plain', undefined],
  ])('reads %j as %j', (header, expected) => {
    expect(parseContentType(header)).toEqual(expected);
  });

  it('knows the types that are read as text', () => {
    expect(['text/plain', 'text/markdown', 'application/json'].every(isTextType)).toBe(true);
    expect(['application/zip', 'text/html', 'application/octet-stream'].some(isTextType)).toBe(false);
  });
});

describe('decodeUpload', () => {
  it('decodes UTF-8, strips the byte order mark and normalises newlines', () => {
    expect(decodeUpload(utf8('\uFEFFä\r\n😀'), 'text/plain; charset=utf-8')).toEqual({ ok: true, text: 'ä\n😀' });
  });

  it('honours the declared charset', () => {
    expect(decodeUpload(Uint8Array.of(0xe4), 'text/plain; charset=ISO-8859-1')).toEqual({ ok: true, text: 'ä' });
    expect(decodeUpload(Uint8Array.of(0x80, 0x93), 'text/plain; charset=windows-1252')).toEqual({
      ok: true,
      text: '€“',
    });
    const utf16 = Uint8Array.of(0xff, 0xfe, 0x61, 0);
    expect(decodeUpload(utf16, 'text/markdown; charset=utf-16le')).toEqual({ ok: true, text: 'a' });
  });

  it('takes the text of a JSON object', () => {
    expect(decodeUpload(utf8('{"text":"a\\r\\nb","other":1}'), 'application/json')).toEqual({ ok: true, text: 'a\nb' });
  });

  it.each([
    ['invalid UTF-8', Uint8Array.of(0x61, 0xff), 'text/plain', 'file is not valid utf-8'],
    ['truncated UTF-8', Uint8Array.of(0xe2, 0x82), 'text/plain', 'file is not valid utf-8'],
    ['an unknown charset', utf8('a'), 'text/plain; charset=klingon', 'file declares an unknown charset'],
    ['broken JSON', utf8('{"text":'), 'application/json', 'file is not valid JSON'],
    ['JSON without text', utf8('{"a":1}'), 'application/json', 'JSON file must be an object with a string "text"'],
    [
      'a JSON text that is no string',
      utf8('{"text":1}'),
      'application/json',
      'JSON file must be an object with a string "text"',
    ],
    ['a JSON array', utf8('["text"]'), 'application/json', 'JSON file must be an object with a string "text"'],
    ['JSON null', utf8('null'), 'application/json', 'JSON file must be an object with a string "text"'],
    ['an inherited text', utf8('"text"'), 'application/json', 'JSON file must be an object with a string "text"'],
    ['a blank file', utf8(' \n'), 'text/plain', 'text must not be blank'],
    ['a blank JSON text', utf8('{"text":"\\u0000 "}'), 'application/json', 'text must not be blank'],
    ['an unsupported type', utf8('a'), 'application/zip', 'file is not of a supported type'],
  ])('refuses %s', (_case, bytes, contentType, reason) => {
    expect(decodeUpload(bytes, contentType)).toEqual({ ok: false, reason });
  });
});
