/**
 * Writes every generated file from the declarations in the build: openapi.json, .env.example, and the pages under
 * docs/generated. `npm run generate` builds first; CI runs it and fails on a difference.
 */
import { mkdtempSync, rmSync, writeFileSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateFiles } from '../dist/src/app/generate/index.js';

const root = new URL('..', import.meta.url);
const scratch = mkdtempSync(join(tmpdir(), 'nexusrag-generate-'));
try {
  mkdirSync(new URL('docs/generated', root), { recursive: true });
  for (const [name, content] of Object.entries(await generateFiles(scratch))) {
    writeFileSync(new URL(name, root), content);
    console.log(`wrote ${name}`);
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
