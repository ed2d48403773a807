import { describe, expect, it } from '@jest/globals';
import { storageKeyOf, storedKeysOf } from './document.js';

describe('storage keys', () => {
  it('of a text have nothing beside them, also when the id of the document looks like a file', () => {
    const key = storageKeyOf('t', 'report.pdf', 'abc', 'text/plain');
    expect([key, storedKeysOf(key)]).toEqual(['tenants/t/documents/report.pdf/abc', [key]]);
  });

  it('of a file name its type, and have its text beside them', () => {
    const key = storageKeyOf('t', 'd', 'abc', 'application/pdf');
    expect([key, storedKeysOf(key)]).toEqual(['tenants/t/documents/d/abc.pdf', [`${key}.text`, key]]);
  });
});
