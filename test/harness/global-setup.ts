import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Names the place of this run's template database; the first test that needs it makes it (see database.ts). Jest
 * loads this file as CommonJS, where the sources of the application cannot be imported.
 */
function setup(): void {
  process.env['NEXUSRAG_TEST_TEMPLATE'] = mkdtempSync(join(tmpdir(), 'nexusrag-test-'));
}

// Jest looks for a default export.
export { setup as default };
