import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectFile } from '../../src/app/project-file.js';

export interface Source {
  /** Below the repository's root, with forward slashes. */
  readonly path: string;
  readonly text: string;
}

/** The application's own code: everything under src that is no test. */
export function sources(): Source[] {
  return readdirSync(projectFile('src'), { recursive: true, encoding: 'utf8' })
    .map((path) => join('src', path).replaceAll('\\', '/'))
    .filter((path) => path.endsWith('.ts') && !/\.(spec|contract)\.ts$/.test(path))
    .map((path) => ({ path, text: readFileSync(projectFile(path), 'utf8') }));
}

/** Where things are declared. The kernel shows in comments how, under names that do not exist. */
export function declarations(): Source[] {
  return sources().filter(({ path }) => !/^src\/kernel\/(errors|settings)\.ts$/.test(path));
}

/** Paths of the sources that contain the pattern. */
export function mentioning(pattern: RegExp): string[] {
  return sources()
    .filter(({ text }) => pattern.test(text))
    .map(({ path }) => path);
}

export function read(path: string): string {
  return readFileSync(projectFile(path), 'utf8');
}
