import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { ControlSocket } from '../app/control-socket.js';
import { silentLog } from '../kernel/log.js';
import { ManualClock } from '../kernel/time.js';
import { defineCommand, type CommandContext } from './command.js';
import { askServer } from './control-client.js';
import { respond } from './executor.js';
import { CommandFailure } from './failure.js';

const commands = [
  defineCommand({
    name: 'double',
    summary: 'Double a number.',
    args: z.strictObject({ value: z.coerce.number('must be a number') }),
    result: z.object({ doubled: z.number(), serving: z.boolean() }),
    run: async ({ serving }, { value }) => {
      if (value === 13) throw new CommandFailure('UNLUCKY', 'Not this one.', 3);
      return { doubled: 2 * value, serving };
    },
    view: ({ doubled }) => ({ kind: 'lines', lines: [String(doubled)] }),
  }),
  defineCommand({
    name: 'read',
    summary: 'Read a file.',
    args: z.strictObject({}),
    local: true,
    result: z.object({}),
    run: async () => ({}),
    view: () => ({ kind: 'lines', lines: [] }),
  }),
];

describe('a command through the control socket', () => {
  const context = { serving: true } as CommandContext;
  let path: string;
  let folder: { path: string; controlSocketPath: string };
  let socket: ControlSocket | undefined;

  beforeEach(async () => {
    path = mkdtempSync(join(tmpdir(), 'nexusrag-test-'));
    folder = { path, controlSocketPath: join(path, 'control.sock') };
    socket = await ControlSocket.open(folder, {
      execute: (request) => respond(request, context, commands),
      clock: new ManualClock(),
      log: silentLog,
    });
  });
  afterEach(async () => {
    await socket?.close();
    rmSync(path, { recursive: true, force: true });
  });

  const ask = (command: string, args: Record<string, unknown>) => askServer(folder, 42, { command, args });

  it('has the same result as in this process', async () => {
    const args = { value: '21' };
    expect(await ask('double', args)).toEqual(await commands[0]?.execute(context, args));
  });

  it('fails with the same code, message and exit code', async () => {
    await expect(ask('double', { value: 13 })).rejects.toMatchObject({
      code: 'UNLUCKY',
      message: 'Not this one.',
      exitCode: 3,
    });
    await expect(ask('double', { value: 'x' })).rejects.toMatchObject({ code: 'USAGE', exitCode: 2 });
    await expect(ask('double', { value: 1, more: 2 })).rejects.toMatchObject({ code: 'USAGE' });
    await expect(ask('triple', {})).rejects.toMatchObject({ code: 'UNKNOWN_COMMAND' });
  });

  // Whoever reaches the socket would have the server read files for them.
  it('is refused when it works on files of whoever types it', async () => {
    await expect(ask('read', {})).rejects.toMatchObject({ code: 'UNKNOWN_COMMAND' });
  });

  it('names the process that holds the folder when that takes no commands', async () => {
    await socket?.close();
    await expect(ask('double', { value: 1 })).rejects.toMatchObject({
      code: 'SERVER_UNREACHABLE',
      message: expect.stringContaining('process 42'),
    });
  });
});
