import { describe, expect, it } from '@jest/globals';
import { Webhook } from 'standardwebhooks';
import { Secret } from '../../kernel/settings.js';
import { SystemClock } from '../../kernel/time.js';
import { secretFault, standardHeaders } from './signature.js';

const BODY = '{"text":"ü 日本"}';
const now = new SystemClock().now();
const WHSEC = `whsec_${Buffer.from([0, 255, 254, 1, 2, 3, 250, 251, 252, 9, 8, 7, 6, 5, 4, 3]).toString('base64')}`;

describe('the signature', () => {
  it.each([
    ['base64 behind whsec_', WHSEC, new Webhook(WHSEC)],
    ['any other text', 'a plain text', new Webhook('a plain text', { format: 'raw' })],
  ])('is the one that the reference library makes and accepts: %s', (_, secret, library) => {
    const headers = standardHeaders('msg_1', now, BODY, [new Secret(secret)]);
    expect(headers['webhook-signature']).toBe(library.sign('msg_1', now, BODY));
    expect(library.verify(BODY, headers)).toEqual({ text: 'ü 日本' });
  });

  it('is accepted under any of the secrets while they rotate, and under no other', () => {
    const headers = standardHeaders('msg_1', now, BODY, [new Secret(WHSEC), new Secret('former')]);
    for (const library of [new Webhook(WHSEC), new Webhook('former', { format: 'raw' })]) {
      expect(library.verify(BODY, headers)).toBeDefined();
    }
    expect(() => new Webhook('other', { format: 'raw' }).verify(BODY, headers)).toThrow('No matching signature');
  });

  it('differs with the id, the time and the body', () => {
    const at = (id: string, time: Date, body: string) =>
      standardHeaders(id, time, body, [new Secret(WHSEC)])['webhook-signature'];
    const later = new Date(now.getTime() + 1_000);
    const all = [at('a', now, BODY), at('b', now, BODY), at('a', later, BODY), at('a', now, '{}')];
    expect(new Set(all).size).toBe(4);
  });
});

describe('a secret', () => {
  it.each([
    ['whsec_', 'must have at least 16 bytes'],
    ['whsec_@@@', 'must have base64 after whsec_'],
    ['whsec_YWJj', 'must have at least 16 bytes'],
    ['short', 'must have at least 16 bytes'],
    [WHSEC, undefined],
    ['sixteen letters!', undefined],
  ])('%s: %s', (text, fault) => {
    expect(secretFault(new Secret(text), 16)).toBe(fault);
  });
});
