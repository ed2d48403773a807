import { describe, expect, it } from '@jest/globals';
import { uploadTypeOf } from './upload-type.js';

const PDF = '%PDF-1.7';
const ZIP = 'PK\u0003\u0004';
const DOCX = 'application/vnd.openxmlformats-officedocument.wordprocessingml.document';

describe('uploadTypeOf', () => {
  it.each([
    ['text/plain; charset=utf-8', 'a.pdf', 'Hello', 'text', 'text/plain'],
    ['text/markdown', 'a.csv', 'Hello', 'text', 'text/markdown'],
    ['application/json', 'a', '{}', 'text', 'application/json'],
    ['Text/HTML; charset=x', 'a.txt', 'Hello', 'file', 'text/html'],
    ['application/pdf', 'a', 'no PDF', 'file', 'application/pdf'],
    [DOCX, 'a.zip', ZIP, 'file', DOCX],
    ['application/octet-stream', 'Report.PDF', 'no PDF', 'file', 'application/pdf'],
    ['application/octet-stream', 'a.md', 'Hello', 'text', 'text/markdown'],
    ['application/octet-stream', 'a.htm', 'Hello', 'file', 'text/html'],
    ['', 'a.csv', 'Hello', 'file', 'text/csv'],
    // The type that a part without one has.
    ['text/plain', 'a.pdf', PDF, 'file', 'application/pdf'],
    ['text/plain', 'a.docx', ZIP, 'file', DOCX],
    ['text/plain', 'a.docx', 'Hello', 'text', 'text/plain'],
    ['text/plain', 'a.csv', 'a,b', 'text', 'text/plain'],
    ['text/plain', 'a.txt', PDF, 'text', 'text/plain'],
  ])('%j called %s with %j is a %s of the type %s', (contentType, name, content, kind, mediaType) => {
    expect(uploadTypeOf(contentType, name, Buffer.from(content))).toMatchObject({ kind, mediaType });
  });

  it('keeps the charset of a text', () => {
    const type = uploadTypeOf('text/plain; charset=latin1', 'a', Buffer.from('x'));
    expect(type).toEqual({ kind: 'text', mediaType: 'text/plain', contentType: 'text/plain; charset=latin1' });
  });

  it.each([
    ['application/zip', 'a.docx'],
    ['application/msword', 'a.doc'],
    ['image/png', 'a.pdf'],
    ['nonsense', 'a.pdf'],
    ['application/octet-stream', 'a.zip'],
    ['application/octet-stream', 'pdf'],
    ['application/octet-stream', 'a.constructor'],
    ['', 'a'],
  ])('%j called %s is not supported', (contentType, name) => {
    expect(uploadTypeOf(contentType, name, Buffer.from(ZIP))).toBeUndefined();
  });
});
