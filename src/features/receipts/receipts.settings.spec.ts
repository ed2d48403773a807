import { inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { loadSettings, SettingsError } from '../../kernel/settings.js';
import { keysOf, receiptsSettings } from './receipts.settings.js';

const KEY = Buffer.alloc(32, 5).toString('base64');
const load = (env: Record<string, string>) => loadSettings(env, [receiptsSettings]).get(receiptsSettings);
const keys = (value: unknown): Record<string, string> => ({
  STATEWAVE_RECEIPT_SIGNING_KEYS: typeof value === 'string' ? value : JSON.stringify(value),
});

describe('signing keys', () => {
  it.each([
    ['no JSON', keys(`{"k": "${KEY}"`), /must be a JSON object/],
    ['a list', keys([KEY]), /must be a JSON object/],
    ['a text', keys(`"${KEY}"`), /must be a JSON object/],
    ['an empty id', keys({ '': KEY }), /must have key ids/],
    ['an id with a blank', keys({ 'a b': KEY }), /must have key ids/],
    ['a number', keys({ k: 5 }), /must have base64 for k/],
    ['bad base64', keys({ k: `${KEY.slice(0, -1)}!` }), /must have base64 for k/],
    ['base64url', keys({ k: KEY.replaceAll('U', '-') }), /must have base64 for k/],
    ['unpadded base64', keys({ k: KEY.slice(0, -1) }), /must have base64 for k/],
    ['16 bytes', keys({ k: Buffer.alloc(16, 5).toString('base64') }), /at least 32 bytes for k/],
    ['a second Ed25519 seed', { RECEIPT_ED25519_KEYS: JSON.stringify({ e: `${KEY.slice(0, -1)}FBQ` }) }, /for e/],
    [
      'one id for two keys',
      { ...keys({ k: KEY }), RECEIPT_ED25519_KEYS: JSON.stringify({ k: KEY }) },
      /must not have key ids/,
    ],
  ])('19 case 17: of %s keep the process from starting, and are not printed', (_what, env, fault) => {
    expect(() => load(env)).toThrow(SettingsError);
    expect(() => load(env)).toThrow(fault);
    expect(() => load(env)).not.toThrow(KEY.slice(4, 12));
  });

  it('19 case 17: are not in what is printed of the settings', () => {
    const settings = load(keys({ k: KEY }));
    for (const printed of [
      inspect(settings, { showHidden: true, depth: 9 }),
      JSON.stringify({ ...settings }),
      String(settings.signingKeys),
    ]) {
      expect(printed).not.toContain(KEY.slice(0, 12));
    }
    expect(keysOf(settings).hmac.map(({ id }) => id)).toEqual(['k']);
    expect(inspect(keysOf(settings), { showHidden: true, depth: 9 })).not.toContain(KEY.slice(0, 12));
  });

  it('may be none, and are made in the data folder outside production only', () => {
    expect(keysOf(load({}))).toEqual({ hmac: [], ed25519: [] });
    expect(load({}).localKey).toBe(true);
    expect(load({ NODE_ENV: 'production' }).localKey).toBe(false);
  });
});
