#!/usr/bin/env node
import { holdProcess } from './app/hold-process.js';
import { version } from './app/version.js';
import { runMcpctl } from './cli/mcpctl/program.js';
import { SystemClock } from './kernel/time.js';
import { apiClientSettings } from './platform/api-client/index.js';
import { clientSettings, configFolder } from './platform/settings/index.js';

/** The command line of whoever governs an installation from outside, through its API. */
const release = holdProcess();
// Whoever read the output has seen enough, as `head` does.
process.stdout.on('error', () => process.exit());
process.exitCode = await runMcpctl(process.argv.slice(2), {
  version: version(),
  output: {
    out: (text) => process.stdout.write(`${text}\n`),
    err: (text) => process.stderr.write(`${text}\n`),
  },
  clock: new SystemClock(),
  configFolder: configFolder(),
  settings: () => clientSettings([apiClientSettings]).get(apiClientSettings),
});
release();
