import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { SETTINGS } from '../../app/catalogue.js';
import { ed25519Key, hmacKey, type SigningKey } from '../../features/receipts/domain/signing-keys.js';
import { signed } from '../../features/receipts/domain/signature.js';
import { loadSettings } from '../../kernel/settings.js';
import type { CommandContext } from '../command.js';
import { runCli } from '../program.js';
import { receiptsVerify } from './receipts-verify.js';

const SECRET = Buffer.alloc(32, 4);
const key = hmacKey('k', SECRET);
const edward = ed25519Key('ed', SECRET);

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'nexusrag-test-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function written(name: string, content: unknown): string {
  const file = join(folder, name);
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
  return file;
}

/** As the API answers it. */
function answer(by: SigningKey | undefined, of = 'r-1'): { data: Record<string, unknown> } {
  const shown = (body: object): Record<string, unknown> => {
    const { canonical, signature } = signed(body, by);
    return { ...(JSON.parse(canonical) as object), receipt_signature: signature };
  };
  const outcome = shown({ receipt_id: of, status: 'completed' });
  return { data: { ...shown({ receipt_id: 'r-1', region: 'eu' }), status: 'active', outcome } };
}

async function run(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const [out, err]: [string[], string[]] = [[], []];
  const env = { STATEWAVE_RECEIPT_SIGNING_KEYS: JSON.stringify({ k: SECRET.toString('base64') }) };
  const context = { settings: loadSettings(env, SETTINGS) } as CommandContext;
  const code = await runCli(['receipts', 'verify', ...args], {
    version: '1.2.3',
    commands: [receiptsVerify],
    output: { out: (text) => out.push(text), err: (text) => err.push(text) },
    execute: (command, given) => command.execute(context, given),
  });
  return { code, out: out.join('\n'), err: err.join('\n') };
}

describe('a downloaded receipt', () => {
  it('verifies offline with the keys of the installation, of a file, or with public keys', async () => {
    const receipt = written('receipt.json', answer(key));
    expect(await run(receipt)).toMatchObject({
      code: 0,
      err: '',
      out: expect.stringMatching(/receipt +ok\noutcome +ok/),
    });
    const keys = written('keys.json', { k: SECRET.toString('base64') });
    expect((await run(receipt, '--keys', keys)).code).toBe(0);
    const jwks = written('jwks.json', { keys: [edward.publicKey] });
    expect((await run(written('ed.json', answer(edward).data), '--keys', jwks)).code).toBe(0);
  });

  it.each([
    ['one byte of it', (data: Record<string, unknown>) => ({ ...data, region: 'us' })],
    ['a field more', (data: Record<string, unknown>) => ({ ...data, note: 'x' })],
    ['a number that no receipt has', (data: Record<string, unknown>) => ({ ...data, region: 1.5 })],
    ['its signature', (data: Record<string, unknown>) => ({ ...data, receipt_signature: '0'.repeat(64) })],
    [
      'its outcome',
      (data: Record<string, unknown>) => ({ ...data, outcome: { ...(data['outcome'] as object), status: 'error' } }),
    ],
    ['the outcome of another one', () => answer(key, 'r-2').data],
  ])('ends with 4 when %s was changed', async (_what, change) => {
    const { code, out } = await run(written('changed.json', change(answer(key).data)));
    expect([code, out]).toEqual([4, expect.stringContaining('signature_mismatch')]);
  });

  it('ends with 1 when it cannot be said', async () => {
    const unsigned = await run(written('unsigned.json', answer(undefined)));
    expect(unsigned).toMatchObject({ code: 1, out: expect.stringContaining('no_signature') });
    const { outcome, ...receipt } = answer(key).data;
    const unsignedOutcome = { ...(outcome as object), status: 'error', receipt_signature: null };
    expect((await run(written('outcome.json', { ...receipt, outcome: unsignedOutcome }))).code).toBe(1);
    expect((await run(written('without.json', receipt))).code).toBe(0);
    const unknown = await run(written('unknown.json', answer(edward)));
    expect(unknown).toMatchObject({ code: 1, out: expect.stringContaining('key_unavailable') });
  });

  it('ends with 2 when it is none, or the keys are none', async () => {
    const receipt = written('receipt.json', answer(key));
    for (const content of ['', '[]', '{}', '{"data":null}', '{"receipt_id":1}']) {
      expect(await run(written('none.json', content))).toMatchObject({ code: 2, err: 'USAGE: <file> is no receipt' });
    }
    expect((await run(join(folder, 'missing.json'))).code).toBe(2);
    for (const content of ['', '[]', '{"k":"short"}', '{"keys":[{"kid":"x","x":"y"}]}', '{"keys":[null]}']) {
      expect(await run(receipt, '--keys', written('bad.json', content))).toMatchObject({
        code: 2,
        err: expect.stringMatching(/^USAGE: --keys must /),
      });
    }
  });
});
