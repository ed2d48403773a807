import { describe, expect, it } from '@jest/globals';
import type { Bundle } from '../domain/bundle.js';
import { MAX_BUNDLE_BYTES, parseBundle } from './parse-bundle.js';

const NO_PII = `
# Marketing is no place for it.
version: 1
rules:
  - id: no-pii
    when:
      caller_type_not_in: [admin]
      chunk_has_any_label: [pii]
    action: deny
`;
const HASH = '4038cfb6ce967522d336442eea2dc49a2fa08b3a4e829b20f5d86a3c5ab3f061';

function parsed(yaml: string): Bundle {
  const result = parseBundle(yaml);
  if (!result.ok) throw new Error(result.reason);
  return result.bundle;
}

function reasonOf(given: unknown): string {
  const result = parseBundle(typeof given === 'string' ? given : JSON.stringify(given));
  return result.ok ? 'no fault' : result.reason;
}

const RULE = { id: 'r', when: { chunk_has_any_label: ['pii'] }, action: 'deny' };
const withRule = (more: object): unknown => ({ version: 1, rules: [{ ...RULE, ...more }] });
const when = (predicates: unknown): unknown => withRule({ when: predicates });

describe('the hash of a bundle', () => {
  it('is that of its canonical form, as published', () => {
    expect(parsed(NO_PII).hash).toBe(HASH);
  });

  it('does not depend on how the bundle is written: JSON, other order, comments, the older names', () => {
    const json =
      '{"rules":[{"action":"deny","when":{"memory_has_any_label":["pii"],"caller_type_not_in":["admin"]},"description":"","id":"no-pii"}],"metadata":{},"version":1}';
    expect(parsed(json).hash).toBe(HASH);
    expect(parsed(json).yaml).toBe(json);
  });

  it('is what others make of it, with numbers for keys and letters of every language', () => {
    const yaml = 'version: 1\nmetadata: { 10: ä, 9: 護, a: 1.5 }\nrules: []';
    // printf '{"metadata":{"10":"ä","9":"護","a":1.5},"rules":[],"version":1}' | sha256sum
    expect(parsed(yaml).hash).toBe('55cd8a047ef233650627b0c15c26e1cbbff329c7cc36b5ae1df46fe95abf7463');
  });

  it.each([
    ['description', NO_PII.replace('action: deny', 'description: Why\n    action: deny')],
    ['metadata', `${NO_PII}metadata: { owner: legal }\n`],
    ['action', NO_PII.replace('deny', 'redact')],
    ['value', NO_PII.replace('[pii]', '[pii, secret]')],
  ])('depends on every %s', (_, yaml) => {
    expect(parsed(yaml).hash).not.toBe(HASH);
  });
});

describe('a bundle', () => {
  it('may have every predicate, and no rule at all', () => {
    const all = {
      chunk_has_any_label: ['a'],
      chunk_has_all_labels: ['a', 'b'],
      caller_type: 'reader',
      caller_type_in: ['reader'],
      caller_type_not_in: ['admin'],
      caller_id: 'k',
    };
    expect(parsed(JSON.stringify(when(all))).rules).toEqual([{ ...RULE, description: '', when: all }]);
    expect(parsed('version: 1\nrules: []').rules).toEqual([]);
  });

  it.each([
    ['no map', '- 1', /must be a map/],
    ['nothing', '', /must be a map/],
    ['another version', { version: 2, rules: [] }, /version must be 1/],
    ['no version', { rules: [] }, /version must be 1/],
    ['no rules', { version: 1 }, /rules must be a list/],
    ['an unknown key', { version: 1, rules: [], rule: [] }, /does not know rule/],
    ['metadata that is no map', { version: 1, rules: [], metadata: [] }, /metadata must be a map/],
    ['a rule that is no map', { version: 1, rules: ['r'] }, /^Rule 1: must be a map/],
    ['a rule without an id', withRule({ id: undefined }), /^Rule 1: id must be a text/],
    ['a blank id', withRule({ id: ' ' }), /^Rule 1: id must not be blank/],
    ['an id that the database cannot store', withRule({ id: 'a\0' }), /id must not contain control characters/],
    ['an id with half a character', 'version: 1\nrules: [{id: "\\ud800"}]', /must not contain control characters/],
    ['too long an id', withRule({ id: 'x'.repeat(65) }), /^Rule "x+": id must be at most 64 characters/],
    ['an id of two rules', { version: 1, rules: [RULE, RULE] }, /^Rule "r": another rule has the same id/],
    ['an unknown action', withRule({ action: 'mask' }), /^Rule "r": action must be deny or redact/],
    ['no action', withRule({ action: undefined }), /^Rule "r": action must be deny or redact/],
    ['an unknown key of a rule', withRule({ actions: 1 }), /^Rule "r": does not know actions/],
    ['a description that is no text', withRule({ description: null }), /^Rule "r": description must be a text/],
    ['no when', withRule({ when: undefined }), /^Rule "r": when must be a map/],
    ['an empty when', when({}), /^Rule "r": when needs a predicate/],
    ['an unknown predicate', when({ caller: 'x' }), /^Rule "r": when does not know caller/],
    ['an inherited predicate', when({ constructor: ['x'] }), /^Rule "r": when does not know constructor/],
    ['an empty list', when({ chunk_has_any_label: [] }), /chunk_has_any_label must not be an empty list/],
    ['a text for a list', when({ caller_type_in: 'admin' }), /caller_type_in must be a list/],
    ['a list for a text', when({ caller_type: ['admin'] }), /caller_type must be a text/],
    ['a number for a label', when({ chunk_has_all_labels: [1] }), /chunk_has_all_labels.0 must be a text/],
    [
      'a predicate under both names',
      when({ chunk_has_any_label: ['a'], memory_has_any_label: ['b'] }),
      /does not know memory_has_any_label/,
    ],
    [
      'too many rules',
      { version: 1, rules: Array.from({ length: 201 }, (_, id) => ({ ...RULE, id: `${id}` })) },
      /200/,
    ],
    ['too many values', when({ caller_type_in: Array.from({ length: 101 }, String) }), /more than 100 values/],
    ['too long a value', when({ caller_id: 'x'.repeat(257) }), /at most 256 characters/],
    ['YAML that is none', 'version: 1\nrules: [', /cannot be read: line 2/],
    ['a key twice', 'version: 1\nversion: 1\nrules: []', /line 2: Map keys must be unique/],
    ['a tag', 'version: 1\nrules: !!set {}', /line 2: Unresolved tag/],
    ['two documents', 'version: 1\n---\nrules: []', /one document/],
    ['an alias', 'version: 1\nmetadata: {a: &a [], b: *a}\nrules: []', /must not use aliases/],
    [
      'a text that a receipt would be too large with',
      { version: 1, metadata: { m: '"'.repeat(20_000) }, rules: [] },
      /larger than 64 KB as a JSON string/,
    ],
    ['too large a text', `version: 1\nrules: []\n#${'x'.repeat(MAX_BUNDLE_BYTES)}`, /larger than 64 KB/],
  ])('is refused with %s', (_, given, reason) => {
    expect(reasonOf(given)).toMatch(reason);
    expect(reasonOf(given).length).toBeLessThanOrEqual(301);
  });

  // Each of these took seconds of the event loop, or the process, before anything of it was checked.
  it.each([
    ['lists in lists', '['.repeat(60_000)],
    ['lists in lists, in blocks', `${'- '.repeat(30_000)}a`],
    ['maps in maps', '{'.repeat(60_000)],
    ['keys of keys', '? '.repeat(30_000)],
    ['many keys', `{${Array.from({ length: 9000 }, (_, key) => `k${key}`).join(',')}}`],
    ['many keys, in blocks', Array.from({ length: 8000 }, (_, key) => `k${key}:`).join('\n')],
    ['keys without names', ':\n'.repeat(30_000)],
  ])('is refused before it costs much: %s', (_, yaml) => {
    expect(reasonOf(yaml)).toMatch(/nested deeper than 40 levels, or have more than 500 entries/);
  });

  it('that repeats itself is refused before it grows', () => {
    const lines = ['a0: &a0 [x, x]', ...Array.from({ length: 30 }, (_, i) => `a${i + 1}: &a${i + 1} [*a${i}, *a${i}]`)];
    expect(reasonOf(lines.join('\n'))).toMatch(/must not use aliases/);
  });
});
