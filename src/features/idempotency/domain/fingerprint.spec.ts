import { describe, expect, it } from '@jest/globals';
import { fingerprint, type Payload } from './fingerprint.js';
import { isReplayed, keyOf, takesKey } from './idempotency-key.js';
import type { Operation } from '../../../kernel/operation.js';

const FILE = { name: 'a.txt', contentType: 'text/plain', sha256: '00' };
const PAYLOAD: Payload = {
  method: 'POST',
  path: '/v1/things',
  query: { a: '1', b: '2' },
  ifMatch: null,
  body: { name: 'Zürich', nested: { x: 1, y: [1, 2] } },
  file: FILE,
};

describe('the fingerprint of a request', () => {
  it('does not depend on the order of keys', () => {
    const reordered = { query: { b: '2', a: '1' }, body: { nested: { y: [1, 2], x: 1 }, name: 'Zürich' } };
    expect(fingerprint({ ...PAYLOAD, ...reordered })).toBe(fingerprint(PAYLOAD));
    expect(fingerprint(PAYLOAD)).toMatch(/^v1:[0-9a-f]{64}$/);
  });

  // Two requests that look the same here would share one answer.
  it.each<[string, Partial<Payload>]>([
    ['method', { method: 'PATCH' }],
    ['path', { path: '/v1/things/1' }],
    ['query', { query: { a: '1' } }],
    ['condition', { ifMatch: '"1"' }],
    ['body', { body: { name: 'Zurich', nested: { x: 1, y: [1, 2] } } }],
    ['order of a list', { body: { name: 'Zürich', nested: { x: 1, y: [2, 1] } } }],
    ['absent file', { file: null }],
    ['file name', { file: { ...FILE, name: 'b.txt' } }],
    ['type of the file', { file: { ...FILE, contentType: 'text/html' } }],
    ['content of the file', { file: { ...FILE, sha256: '01' } }],
  ])('differs by its %s', (_name, change) => {
    expect(fingerprint({ ...PAYLOAD, ...change })).not.toBe(fingerprint(PAYLOAD));
  });
});

describe('a key', () => {
  it.each([
    ['a', 'a'],
    ['  a b ', 'a b'],
    ['"8e03978e-40d5"', '"8e03978e-40d5"'],
    ['x'.repeat(128), 'x'.repeat(128)],
    [` ${'x'.repeat(128)} `, 'x'.repeat(128)],
    ['x'.repeat(129), undefined],
    ['   ', undefined],
    ['', undefined],
  ])('%j is read as %j', (header, key) => {
    expect(keyOf(header)).toBe(key);
  });

  it('is taken by writes of somebody known, and answered twice unless the answer is a stream', () => {
    const operation = (role: Operation['role'], response: Operation['response']) => ({ role, response }) as Operation;
    expect(
      ['POST', 'PUT', 'PATCH', 'DELETE', 'GET', 'HEAD', 'OPTIONS'].map((m) => takesKey(m, operation('reader', 'json'))),
    ).toEqual([true, true, true, true, false, false, false]);
    expect(takesKey('POST', operation('public', 'json'))).toBe(false);
    expect(takesKey('POST', { ...operation('admin', 'json'), changesNothing: true })).toBe(false);
    expect((['json', 'empty', 'stream', 'bare'] as const).map((r) => isReplayed(operation('admin', r)))).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });
});
