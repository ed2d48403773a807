import { randomBytes } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { CryptoSettings } from './crypto.settings.js';

/**
 * The key that all others are derived from: of the settings, or of a file that only its owner may read and that is
 * made when it is first needed.
 */
export function masterKey({ masterKey: given }: CryptoSettings, file: string): string {
  return given === undefined ? localSecret(file) : given.reveal();
}

/** 32 random bytes in base64, kept in a file that only its owner may read and that is made when it is first needed. */
export function localSecret(file: string): string {
  return existing(file) ?? made(file);
}

function existing(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Of processes that make it at once, one wins; no one ever reads half a key. */
function made(file: string): string {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const own = `${file}.${process.pid}`;
  writeFileSync(own, `${randomBytes(32).toString('base64')}\n`, { mode: 0o600 });
  try {
    linkSync(own, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    rmSync(own, { force: true });
  }
  return readFileSync(file, 'utf8').trim();
}
