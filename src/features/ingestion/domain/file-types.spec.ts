import { describe, expect, it } from '@jest/globals';
import { PARSED_TYPES } from '../../../platform/document-parser/file-types.js';
import { fileExtensionOf, fileTypeOfExtension, isFileType, isPaginated, looksLike } from './file-types.js';

const types = Object.keys(PARSED_TYPES);

describe('file types', () => {
  // A type that is accepted and that nothing reads would fail every document of it.
  it('are those that the parser reads, each under its own extension', () => {
    expect(types.every(isFileType)).toBe(true);
    expect(types.map((type) => fileTypeOfExtension(fileExtensionOf(type) ?? ''))).toEqual(types);
    expect(['text/plain', 'application/json', 'application/zip', 'toString'].some(isFileType)).toBe(false);
  });

  it('have pages when they are PDFs or presentations', () => {
    expect(types.filter(isPaginated).map(fileExtensionOf)).toEqual(['pdf', 'pptx']);
    expect(isPaginated('text/plain')).toBe(false);
  });

  it.each([
    ['pdf', '%PDF-1.7 …', true],
    ['pdf', 'junk\n%PDF-1.7 …', true],
    ['pdf', `${' '.repeat(1024)}%PDF-1.7`, false],
    ['pdf', 'PK\u0003\u0004', false],
    ['docx', 'PK\u0003\u0004', true],
    ['docx', '\u00d0\u00cf\u0011\u00e0', true],
    ['xlsx', '%PDF-1.7', false],
    ['pptx', 'Hello', false],
    ['html', '<p>Hello', true],
    ['html', '%PDF-1.7', false],
    ['csv', 'a,%PDF-', true],
    ['csv', 'PK\u0003\u0004', false],
  ])('%s may begin with %j: %s', (extension, start, expected) => {
    expect(looksLike(fileTypeOfExtension(extension) ?? '', Buffer.from(start, 'latin1'))).toBe(expected);
  });
});
