import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { canonicalForm, readBody } from './canonical-form.js';
import { provenanceHash } from './compose-receipt.js';
import { signed, verdictOf, type Signed } from './signature.js';
import { ed25519Key, hmacKey, publicEd25519Key, SigningKeys } from './signing-keys.js';

/** 19 §5.4. */
const GOLDEN = {
  key: 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=',
  canonical:
    '{"as_of":"2026-01-02T03:04:05.678Z","mode":"retrieval","output":{"canonicalization_version":1,"context_hash":"2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824","context_size_bytes":5,"token_estimate":2},"parent_receipt_id":null,"policy":{"filters_applied":[],"filters_skipped":[],"mode":"log_only","policy_bundle_hash":null},"receipt_id":"01JBQ7Z0000000000000000001","receipt_signature_algorithm":"hmac-sha256-canonical-v1","receipt_signature_key_id":"k-2026-01","region":"eu","selected_entries":[{"chunk_id":"7","content_sha256":"2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824","document_id":"doc-é","rank":1,"score":"0.913245","type":"chunk"}],"tenant_id":"acme-eu"}',
  signature: 'f0a39722a67a59b89dcf8df8ee88a6bb76b18f2f3b5b7ea76338c76268e1593b',
};
const golden = hmacKey('k-2026-01', Buffer.from(GOLDEN.key, 'base64'));

describe('the golden vector', () => {
  const stamps = ['receipt_signature_key_id', 'receipt_signature_algorithm'];
  const entries = Object.entries(readBody(GOLDEN.canonical) ?? {});
  const body = Object.fromEntries(entries.filter(([name]) => !stamps.includes(name)));

  it('19 case 16: is what we make of its body', () => {
    expect(Buffer.byteLength(GOLDEN.canonical)).toBe(703);
    expect(signed(body, golden)).toEqual({
      canonical: GOLDEN.canonical,
      signature: GOLDEN.signature,
      keyId: 'k-2026-01',
      algorithm: 'hmac-sha256-canonical-v1',
    });
  });

  it('verifies with ten lines of Python', () => {
    const folder = mkdtempSync(join(tmpdir(), 'nexusrag-golden-'));
    const file = join(folder, 'golden.json');
    writeFileSync(file, JSON.stringify({ ...readBody(GOLDEN.canonical), receipt_signature: GOLDEN.signature }));
    const printed = execFileSync('python3', ['docs/examples/receipts/verify.py', file, GOLDEN.key], {
      encoding: 'utf8',
    });
    rmSync(folder, { recursive: true });
    expect(printed).toBe('True\n');
  });

  it('has the provenance hash of the specification', () => {
    expect(provenanceHash(['b', 'a'])).toBe('1eb7c54d52831bbfe8942af0b1c56b7409523a59ed6ca99c1174fef7eb32c1b5');
  });
});

describe('the canonical form', () => {
  const value = fc.letrec((tie) => ({
    any: fc.oneof(
      { maxDepth: 3 },
      fc.string({ unit: 'grapheme' }),
      fc.maxSafeInteger(),
      fc.boolean(),
      fc.constant(null),
      fc.array(tie('any'), { maxLength: 4 }),
      fc.dictionary(fc.string({ unit: 'grapheme-ascii' }), tie('any'), { maxKeys: 4 }),
    ),
  })).any;
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'nexusrag-form-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('is what Python writes, whatever the values are', () => {
    const bodies = fc.sample(fc.dictionary(fc.string({ unit: 'grapheme-ascii', minLength: 1 }), value), 200);
    const file = join(folder, 'bodies.json');
    writeFileSync(file, JSON.stringify(bodies));
    const script =
      'import json,sys;[sys.stdout.buffer.write((json.dumps(b,sort_keys=True,separators=(",",":"),ensure_ascii=False)+"\\n").encode()) for b in json.load(open(sys.argv[1],encoding="utf-8"))]';
    const lines = execFileSync('python3', ['-c', script, file], { encoding: 'utf8' }).split('\n').slice(0, -1);
    expect(bodies.map(canonicalForm)).toEqual(lines);
  });

  it('does not depend on the order of keys, leaves out the signature at the top only, and is read back as it was', () => {
    const nested = { b: { receipt_signature: 'x' }, a: [1, 'ü', null, true], receipt_signature: 'y' };
    const text = '{"a":[1,"ü",null,true],"b":{"receipt_signature":"x"}}';
    expect(canonicalForm(nested)).toBe(text);
    expect(canonicalForm({ receipt_signature: 'z', a: nested.a, b: nested.b })).toBe(text);
    expect(readBody(text)).toEqual({ a: nested.a, b: nested.b });
  });

  it.each([[1.5], [NaN], [undefined], [2 ** 53], [() => 1]])(
    'refuses %p, which no two languages write alike',
    (odd) => {
      expect(() => canonicalForm({ odd })).toThrow(/no canonical text/);
    },
  );

  it.each(['', '[]', 'null', '1', '{'])('is not read from %j', (text) => {
    expect(readBody(text)).toBeUndefined();
  });
});

describe('a verdict', () => {
  const edward = ed25519Key('ed', Buffer.alloc(32, 9));
  const keys = new SigningKeys([golden, edward]);
  const body = { receipt_id: 'r', n: 1 };

  it.each([golden, edward])('is ok with the key, and a mismatch after any change', (key) => {
    const record = signed(body, key);
    expect(verdictOf(record, keys)).toEqual({ valid: true, reason: 'ok', keyId: key.id, algorithm: key.algorithm });
    const mismatch = { valid: false, reason: 'signature_mismatch' };
    const changes: Partial<Signed>[] = [
      { canonical: record.canonical.replace('1', '2') },
      { signature: record.signature?.toUpperCase() ?? '' },
      { signature: '' },
      { signature: `${record.signature}00` },
    ];
    for (const change of changes) expect(verdictOf({ ...record, ...change }, keys)).toMatchObject(mismatch);
  });

  it('takes no key for another algorithm than its own', () => {
    const record = { ...signed(body, golden), algorithm: 'ed25519-canonical-v1' };
    expect(verdictOf(record, keys)).toMatchObject({ valid: false, reason: 'signature_mismatch' });
  });

  it('with the public key alone is the same', () => {
    const record = signed(body, edward);
    const publicKeys = new SigningKeys([publicEd25519Key(edward.publicKey)]);
    expect(verdictOf(record, publicKeys)).toMatchObject({ valid: true, reason: 'ok' });
    expect(() => publicEd25519Key(edward.publicKey).sign('x')).toThrow();
  });

  it('cannot be given without signature, key or algorithm', () => {
    const record = signed(body, golden);
    const none = { valid: null, reason: 'no_signature', keyId: null, algorithm: null };
    expect(verdictOf(signed(body, undefined), keys)).toEqual(none);
    expect(verdictOf({ ...record, keyId: null }, keys)).toEqual(none);
    expect(verdictOf(record, new SigningKeys([edward]))).toMatchObject({ valid: null, reason: 'key_unavailable' });
    const unknown = verdictOf({ ...record, algorithm: 'x' }, keys);
    expect(unknown).toMatchObject({ valid: null, reason: 'unsupported_algorithm' });
  });
});

describe('the choice of a key', () => {
  const [one, two] = [golden, ed25519Key('ed', Buffer.alloc(32, 9))];
  it.each([
    [[one], [undefined, undefined], { requestedKeyId: one.id, status: 'ok', key: one }],
    [[one, two], [undefined, undefined], { requestedKeyId: null, status: 'unconfigured', key: undefined }],
    [[], [undefined, undefined], { requestedKeyId: null, status: 'unconfigured', key: undefined }],
    [[one, two], [undefined, 'ed'], { requestedKeyId: 'ed', status: 'ok', key: two }],
    [[one, two], [one.id, 'ed'], { requestedKeyId: one.id, status: 'ok', key: one }],
    [[one, two], ['gone', 'ed'], { requestedKeyId: 'gone', status: 'key_unavailable', key: undefined }],
  ])('%#: is the tenant’s, else the default, else the only one', (keys, ids, choice) => {
    expect(new SigningKeys(keys).choose(...ids)).toEqual(choice);
  });
});
