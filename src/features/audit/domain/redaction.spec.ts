import { describe, expect, it } from '@jest/globals';
import { redact, REDACTED, storableMetadata } from './redaction.js';

describe('redact', () => {
  it('cuts values under sensitive keys, at any depth', () => {
    expect(redact({ api_key: 'x', nested: { token: 'y', safe: 'ok' }, list: [{ Client_Secret: 1 }] })).toEqual({
      api_key: REDACTED,
      nested: { token: REDACTED, safe: 'ok' },
      list: [{ Client_Secret: REDACTED }],
    });
    expect(redact({ id_token: 'a', access_token: 'b', client_secret: 'c' })).toEqual({
      id_token: REDACTED,
      access_token: REDACTED,
      client_secret: REDACTED,
    });
  });

  it('keeps harmless names that merely contain a sensitive word', () => {
    const harmless = {
      content_type: 'text/plain',
      tokens: 5,
      input_tokens: 3,
      estimated_tokens: 7,
      text_length: 9,
      target_api_key_id: 'k1',
    };
    expect(redact(harmless)).toEqual(harmless);
  });

  it.each([
    'Bearer abc',
    'nrgk_0123_secret',
    'see nrgss_abc',
    'eyJhbGciOi.eyJzdWIi.sig',
    '-----BEGIN RSA PRIVATE KEY-----',
    'AKIAABCDEFGHIJKLMNOP',
  ])('cuts %s under a harmless key', (note) => {
    expect(redact({ note })).toEqual({ note: REDACTED });
  });
});

describe('storableMetadata', () => {
  it('replaces metadata over 8 KiB by its size', () => {
    expect(storableMetadata({ names: 'n'.repeat(9000) })).toEqual({ truncated: true, bytes: 9012 });
  });
});
