/**
 * `npm start`: from a fresh clone to a running platform. Installs and builds only when something changed since the
 * last time, then runs the server until Ctrl-C. Uses nothing but Node itself: it runs before anything is installed.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const NEEDED = [20, 19];
const root = dirname(dirname(fileURLToPath(import.meta.url)));
const at = (...names) => join(root, ...names);

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > NEEDED[0] || (major === NEEDED[0] && minor >= NEEDED[1])) return;
  console.error(
    `NexusRAG needs Node ${NEEDED.join('.')} or newer; this is ${process.versions.node}. See https://nodejs.org`,
  );
  process.exit(1);
}

function hashOf(paths) {
  const hash = createHash('sha256');
  for (const path of paths)
    hash
      .update(`${path.slice(root.length)}\0`)
      .update(readFileSync(path))
      .update('\0');
  return hash.digest('hex');
}

/** Files below a folder in a fixed order, without tests: they are no part of the build. */
function filesBelow(folder) {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && !/\.(spec|contract)\.ts$/.test(entry.name))
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort();
}

function read(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

let child;
let stopping = false;

/** Runs a program to its end and returns its exit code; 128 + n when signal n ended it. */
function run(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    child = spawn(command, args, { cwd: root, stdio: 'inherit', ...options });
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      child = undefined;
      resolve(code ?? (signal === 'SIGINT' ? 130 : 143));
    });
  });
}

/** npm as the running npm, so that no other one on the path decides. */
function npm(...args) {
  const running = process.env.npm_execpath;
  if (running !== undefined && running.endsWith('.js')) return run(process.execPath, [running, ...args]);
  return run('npm', args, { shell: process.platform === 'win32' });
}

async function step(label, work) {
  const started = performance.now();
  console.log(`${label} …`);
  const code = await work();
  if (code !== 0) {
    if (!stopping) console.error(`${label} failed; the lines above say why.`);
    process.exit(code);
  }
  if (stopping) process.exit(130);
  console.log(`${label}: done in ${((performance.now() - started) / 1000).toFixed(1)} s`);
}

/** Whether node_modules holds what the lock file says. npm's own record counts when it is newer than the lock. */
function installed(lock) {
  const stamp = read(at('node_modules', '.nexusrag-lock-sha'));
  if (stamp !== undefined) return stamp === lock;
  const record = at('node_modules', '.package-lock.json');
  return existsSync(record) && statSync(record).mtimeMs >= statSync(at('package-lock.json')).mtimeMs;
}

async function install() {
  const lock = hashOf([at('package-lock.json')]);
  const stamp = at('node_modules', '.nexusrag-lock-sha');
  if (!installed(lock)) {
    // The build tools are development dependencies, which npm leaves out when NODE_ENV is production.
    await step('Installing packages', () => npm('ci', '--no-audit', '--no-fund', '--loglevel=error', '--include=dev'));
  }
  if (read(stamp) !== lock) writeFileSync(stamp, lock);
}

async function build() {
  const settings = ['tsconfig.json', 'tsconfig.build.json', 'nest-cli.json', 'package-lock.json'].map((name) =>
    at(name),
  );
  const sources = hashOf([...filesBelow(at('src')), ...filesBelow(at('migrations')), ...settings]);
  const stamp = at('dist', '.nexusrag-source-sha');
  if (read(stamp) === sources && existsSync(at('dist', 'src', 'main.js'))) return;
  await step('Building', () => npm('run', '--silent', 'build'));
  writeFileSync(stamp, sources);
}

/*
 * Ctrl-C in a terminal reaches the child as well, and again through this; the server takes signals that come together
 * for one. A signal to this process alone reaches the child only through this.
 */
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, () => {
    stopping = true;
    if (child === undefined) process.exit(130);
    child.kill(signal);
  });
}

checkNode();
await install();
await build();
console.log('Starting …');
process.exit(await run(process.execPath, [at('dist', 'src', 'main.js')], { cwd: process.cwd() }));
