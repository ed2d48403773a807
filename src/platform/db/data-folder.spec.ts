import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { DataFolder, DataFolderLocked } from './data-folder.js';

let path: string;
beforeEach(() => {
  path = mkdtempSync(join(tmpdir(), 'nexusrag-lock-'));
});
afterEach(() => rmSync(path, { recursive: true, force: true }));

const lockFile = () => join(path, 'lock');

// Two processes in one embedded database ruin it.
describe('DataFolder.lock', () => {
  it('admits one holder, and the next one after it', () => {
    const first = new DataFolder(path);
    first.lock();
    expect(first.holder()).toBe(process.pid);
    expect(readdirSync(path)).toEqual(['lock']);
    first.unlock();
    const second = new DataFolder(path);
    second.lock();
    second.unlock();
    expect(readdirSync(path)).toEqual([]);
  });

  it('names the live process that holds it, and leaves its lock alone', () => {
    writeFileSync(lockFile(), String(process.ppid));
    const folder = new DataFolder(path);
    expect(() => folder.lock()).toThrow(DataFolderLocked);
    expect(() => folder.lock()).toThrow(String(process.ppid));
    expect(folder.holder()).toBe(process.ppid);
    folder.unlock();
    expect(readdirSync(path)).toEqual(['lock']);
  });

  it.each([
    ['a process that died', () => spawnSync(process.execPath, ['-e', '']).pid],
    // In a container every start has the same id.
    ['an earlier start with the same id', () => process.pid],
  ])('takes over from %s', (_name, pidOf) => {
    writeFileSync(lockFile(), String(pidOf()));
    const folder = new DataFolder(path);
    folder.lock();
    expect(folder.holder()).toBe(process.pid);
    expect(readdirSync(path)).toEqual(['lock']);
    folder.unlock();
  });
});
