import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { loadSettings, SettingsError } from '../../kernel/settings.js';
import { cryptoSettings } from './crypto.settings.js';
import { masterKey } from './master-key.js';
import { CannotOpen, SecretBox } from './secret-box.js';

const PLACE = { purpose: 'test', tenantId: 't1', record: 'r1' };
const SECRET = 'nrgk_0123_a secret: Zürich 🐧';
const boxOf = (key: string): SecretBox => new SecretBox(() => key);

describe('a sealed text', () => {
  const box = boxOf('a master key of some length');
  const sealed = box.seal(PLACE, SECRET);

  it('opens where it belongs, and in every process with the same key', () => {
    expect(box.open(PLACE, sealed)).toBe(SECRET);
    expect(boxOf('a master key of some length').open(PLACE, sealed)).toBe(SECRET);
    expect(box.open(PLACE, box.seal(PLACE, ''))).toBe('');
  });

  it('shows nothing of its content, and never looks the same twice', () => {
    expect(sealed.includes(Buffer.from('nrgk_'))).toBe(false);
    expect(box.seal(PLACE, SECRET).equals(sealed)).toBe(false);
  });

  // A row that is copied to another tenant or another record must not become readable there.
  it.each([
    ['purpose', { ...PLACE, purpose: 'other' }],
    ['tenant', { ...PLACE, tenantId: 't2' }],
    ['record', { ...PLACE, record: 'r2' }],
  ])('does not open for another %s', (_name, place) => {
    expect(() => box.open(place, sealed)).toThrow(CannotOpen);
  });

  it('does not open with another key', () => {
    expect(() => boxOf('another master key').open(PLACE, sealed)).toThrow(/another master key/);
  });

  it('does not open when any byte was changed, or the end is missing', () => {
    for (let at = 0; at < sealed.length; at += 1) {
      const changed = Buffer.from(sealed);
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect(() => box.open(PLACE, changed)).toThrow(CannotOpen);
      expect(() => box.open(PLACE, sealed.subarray(0, at))).toThrow(CannotOpen);
    }
  });
});

describe('the master key', () => {
  let folder: string;
  const settings = (env: Record<string, string> = {}) => loadSettings(env, [cryptoSettings]).get(cryptoSettings);
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'nexusrag-key-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('is the one of the settings, and no file is made then', () => {
    const file = join(folder, 'unused');
    expect(masterKey(settings({ KEYRING_MASTER_KEY: ' given ' }), file)).toBe('given');
    expect(readdirSync(folder)).toEqual([]);
  });

  it('is otherwise made once, in a file for its owner only', () => {
    const file = join(folder, 'data', 'key');
    const key = masterKey(settings(), file);
    expect(Buffer.from(key, 'base64')).toHaveLength(32);
    expect(masterKey(settings(), file)).toBe(key);
    expect(readFileSync(file, 'utf8').trim()).toBe(key);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readdirSync(join(folder, 'data'))).toEqual(['key']);
    expect(masterKey(settings(), join(folder, 'data', 'other'))).not.toBe(key);
  });

  it('is not replaced when its file cannot be read', () => {
    expect(() => masterKey(settings(), folder)).toThrow(/EISDIR/);
  });

  it.each([
    ['missing', {}],
    ['short', { KEYRING_MASTER_KEY: 'hunter2' }],
  ])('may not be %s in production', (_name, env) => {
    const load = () => settings({ NODE_ENV: 'production', ...env });
    expect(load).toThrow(SettingsError);
    expect(load).toThrow(/KEYRING_MASTER_KEY .*openssl rand/);
    expect(load).not.toThrow(/hunter2/);
  });
});
