import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { silentLog } from '../kernel/log.js';
import { ManualClock } from '../kernel/time.js';
import { controlAddress, ControlSocket, type ControlRequest, type ControlResponse } from './control-socket.js';

let root: string;
let clock: ManualClock;
let open: ControlSocket | undefined;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'nexusrag-test-'));
  clock = new ManualClock();
});
afterEach(async () => {
  await open?.close();
  open = undefined;
  rmSync(root, { recursive: true, force: true });
});

const folderAt = (path: string) => ({ path, controlSocketPath: join(path, 'control.sock') });

const echo = async ({ command, args }: ControlRequest): Promise<ControlResponse> =>
  command === 'fail'
    ? { ok: false, code: 'NOPE', message: 'No.', exitCode: 3 }
    : { ok: true, result: { command, args } };

async function listenIn(path: string, execute = echo): Promise<ReturnType<typeof folderAt>> {
  const folder = folderAt(path);
  open = await ControlSocket.open(folder, { execute, clock, log: silentLog });
  return folder;
}

/** Sends bytes and returns everything that comes back. */
function exchange(address: string, sent: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let received = '';
    const socket = connect(address, () => socket.write(sent));
    socket.setEncoding('utf8');
    socket.on('data', (text: string) => (received += text));
    socket.on('error', reject);
    socket.on('close', () => resolve(received));
  });
}

const line = (request: unknown): string => `${JSON.stringify(request)}\n`;

describe('the control socket', () => {
  it('answers one line of JSON with one', async () => {
    const { controlSocketPath } = await listenIn(root);
    const request = { command: 'keys list', args: { tenant: 't1' } };
    expect(await exchange(controlSocketPath, line(request))).toBe(line({ ok: true, result: request }));
    expect(JSON.parse(await exchange(controlSocketPath, line({ command: 'fail', args: {} })))).toEqual({
      ok: false,
      code: 'NOPE',
      message: 'No.',
      exitCode: 3,
    });
  });

  it('runs one command a connection', async () => {
    const commands: string[] = [];
    const { controlSocketPath } = await listenIn(root, async ({ command }) => {
      commands.push(command);
      return { ok: true, result: null };
    });
    const two = line({ command: 'first', args: {} }) + line({ command: 'second', args: {} });
    expect((await exchange(controlSocketPath, two)).trim().split('\n')).toHaveLength(1);
    expect(commands).toEqual(['first']);
  });

  // Whoever can open the socket can make admin keys.
  it('is for the owner alone', async () => {
    const { controlSocketPath } = await listenIn(root);
    expect(statSync(controlSocketPath).mode & 0o777).toBe(0o600);
  });

  it('refuses what is not a command, and more than 64 KiB', async () => {
    const { controlSocketPath } = await listenIn(root);
    for (const sent of ['hello\n', line({ command: 'x' }), line({ command: 'x', args: [], more: 1 })]) {
      expect(JSON.parse(await exchange(controlSocketPath, sent))).toMatchObject({ code: 'MALFORMED_REQUEST' });
    }
    const large = line({ command: 'x', args: { text: 'a'.repeat(64 * 1024) } });
    expect(JSON.parse(await exchange(controlSocketPath, large))).toMatchObject({ code: 'MALFORMED_REQUEST' });
  });

  it('drops a connection that sends nothing for five seconds', async () => {
    const { controlSocketPath } = await listenIn(root);
    let timers = 0;
    const after = clock.after.bind(clock);
    clock.after = (ms, callback) => {
      timers += 1;
      return after(ms, callback);
    };
    const silent = exchange(controlSocketPath, '');
    while (timers === 0) await new Promise((resolve) => setImmediate(resolve));
    clock.advance(5000);
    expect(await silent).toBe('');
  });

  it('takes the place of a socket file that a dead process left', async () => {
    const { controlSocketPath } = folderAt(root);
    const dead = createServer();
    await new Promise<void>((resolve) => dead.listen(join(root, 'other.sock'), resolve));
    writeFileSync(controlSocketPath, '');
    await listenIn(root);
    await new Promise((resolve) => dead.close(resolve));
    expect(await exchange(controlSocketPath, line({ command: 'x', args: {} }))).toContain('"ok":true');
  });

  it('waits for running commands when it closes, and leaves no file', async () => {
    let finish = (): void => undefined;
    let begun = (): void => undefined;
    const started = new Promise<void>((resolve) => (begun = resolve));
    const { controlSocketPath } = await listenIn(root, async () => {
      begun();
      await new Promise<void>((resolve) => (finish = resolve));
      return { ok: true, result: 'done' };
    });
    const answer = exchange(controlSocketPath, line({ command: 'slow', args: {} }));
    await started;
    const closed = open?.close();
    finish();
    expect(JSON.parse(await answer)).toEqual({ ok: true, result: 'done' });
    await closed;
    expect(existsSync(controlSocketPath)).toBe(false);
  });
});

describe('a data folder whose path is too long for a socket', () => {
  const longFolder = (): string => {
    const path = join(root, 'a'.repeat(60), 'b'.repeat(60));
    mkdirSync(path, { recursive: true });
    return path;
  };

  it('gets its socket in a private temporary folder that it points to', async () => {
    const folder = await listenIn(longFolder());
    const address = controlAddress(folder);
    expect(Buffer.byteLength(address)).toBeLessThanOrEqual(100);
    expect(statSync(dirname(address)).mode & 0o777).toBe(0o700);
    expect(statSync(join(folder.path, 'control-socket-path')).mode & 0o777).toBe(0o600);
    expect(await exchange(address, line({ command: 'x', args: {} }))).toContain('"ok":true');
    await open?.close();
    expect(existsSync(dirname(address))).toBe(false);
    expect(controlAddress(folder)).toBe(folder.controlSocketPath);
  });

  it('removes the temporary folder of a dead process, but no folder that is not ours', async () => {
    const path = longFolder();
    const dead = mkdtempSync(join(tmpdir(), 'nexusrag-control-'));
    writeFileSync(join(path, 'control-socket-path'), `${join(dead, 'control.sock')}\n`);
    await listenIn(path);
    expect(existsSync(dead)).toBe(false);
    await open?.close();
    const foreign = join(root, 'precious');
    mkdirSync(foreign);
    writeFileSync(join(path, 'control-socket-path'), `${join(foreign, 'control.sock')}\n`);
    await listenIn(path);
    expect(existsSync(foreign)).toBe(true);
  });
});
