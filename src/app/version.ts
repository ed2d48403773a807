import { readFileSync } from 'node:fs';
import { projectFile } from './project-file.js';

/** Of this program, as in package.json. */
export function version(): string {
  const manifest = JSON.parse(readFileSync(projectFile('package.json'), 'utf8')) as { version: string };
  return manifest.version;
}
