import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ScriptedServer, sendJson } from '../../test/harness/scripted-server.js';

const LOADER = new URL('../../test/harness/typescript.mjs', import.meta.url).href;
const RECEIPT = { receipt_id: '01JB', text: 'x'.repeat(200_000) };

let server: ScriptedServer;
beforeAll(async () => {
  server = await ScriptedServer.start((response) => sendJson(response, 200, { data: RECEIPT, meta: {} }));
});
afterAll(() => server.close());

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** @param stdout where it writes; a number is a file. With `closed` nobody reads it. */
function mcpctl(args: readonly string[], stdout: number | 'pipe' | 'closed'): Promise<Ended> {
  const child = spawn(process.execPath, ['--import', LOADER, 'src/mcpctl.ts', ...args], {
    env: { ...process.env, MCP_HOST_URL: server.url },
    stdio: ['ignore', stdout === 'closed' ? 'pipe' : stdout, 'pipe'],
  });
  let [out, err] = ['', ''];
  if (stdout === 'closed') child.stdout?.destroy();
  else child.stdout?.on('data', (data: Buffer) => (out += data.toString()));
  child.stderr?.on('data', (data: Buffer) => (err += data.toString()));
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, out, err })));
}

const GET = ['receipts', 'get', '01JB', '--json'];

describe('a program', () => {
  it('prints all of a large answer, and ends as the command does', async () => {
    const { code, out, err } = await mcpctl(GET, 'pipe');
    expect([code, JSON.parse(out), err]).toEqual([0, RECEIPT, '']);
    expect(await mcpctl(['receipts', 'get'], 'pipe')).toMatchObject({ code: 2, out: '' });
  });

  // Half of the evidence must not pass for all of it.
  it('ends with 1 when the output is lost', async () => {
    const full = openSync('/dev/full', 'w');
    const { code, err } = await mcpctl(GET, full).finally(() => closeSync(full));
    expect([code, err]).toEqual([1, expect.stringMatching(/^Error: The output cannot be written: ENOSPC.*\n$/)]);
  });

  it('ends in peace when the reader has seen enough', async () => {
    expect(await mcpctl(GET, 'closed')).toEqual({ code: 0, out: '', err: '' });
  });
});
