/**
 * What a stranger does first: clone, `npm start`, paste the printed curl, Ctrl-C, start again. Runs on a clone of HEAD
 * with an empty home and exits non-zero when any of it fails. Needs the package registry, as `npm start` does.
 */
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = mkdtempSync(join(tmpdir(), 'nexusrag-clone-'));
const clone = join(root, 'nexusrag');
const home = mkdtempSync(join(root, 'home-'));
const port = await freePort();
const env = { PATH: process.env.PATH, HOME: home, PORT: String(port) };

try {
  execFileSync('git', ['clone', '--quiet', '--no-hardlinks', new URL('..', import.meta.url).pathname, clone]);
  const first = await start();
  const curl = /curl -N[\s\S]*?}'/.exec(first.output())?.[0];
  const answer = execFileSync('bash', ['-c', `${curl} -sS`], { env }).toString();
  for (const event of ['request.accepted', 'message.final', '"cited":true', '"type":"done"']) {
    if (!answer.includes(event)) throw new Error(`The printed curl answered without ${event}:\n${answer}`);
  }
  await stop(first);
  const second = await start();
  if (!second.output().includes('demo-admin-key')) throw new Error('The second start names no key file.');
  await stop(second);
  console.log('✓ a fresh clone starts, answers, stops and starts again');
} finally {
  rmSync(root, { recursive: true, force: true });
}

async function start() {
  const child = spawn('npm', ['start'], { cwd: clone, env, detached: true });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (text += data));
  const exit = new Promise((resolve) => child.once('close', (code, signal) => resolve(code ?? signal)));
  const ready = new Promise((resolve) => {
    child.stdout.on('data', () => text.includes('Press Ctrl-C') && resolve('ready'));
  });
  const outcome = await Promise.race([ready, exit]);
  if (outcome !== 'ready') throw new Error(`npm start ended with ${outcome}:\n${text}`);
  return { child, exit, output: () => text };
}

/** As a terminal does: the signal goes to the whole group. */
async function stop({ child, exit, output }) {
  process.kill(-child.pid, 'SIGINT');
  const code = await exit;
  if (code !== 0) throw new Error(`Ctrl-C ended with ${code}:\n${output()}`);
}

function freePort() {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, () => {
      const { port: free } = probe.address();
      probe.close(() => resolve(free));
    });
  });
}
