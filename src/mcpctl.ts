#!/usr/bin/env node
import { holdProcess } from './app/hold-process.js';
import { version } from './app/version.js';
import { runMcpctl } from './cli/mcpctl/program.js';
import { standardOutput } from './cli/standard-output.js';
import { SystemClock } from './kernel/time.js';
import { apiClientSettings } from './platform/api-client/index.js';
import { clientSettings, configFolder } from './platform/settings/index.js';

/** The command line of whoever governs an installation from outside, through its API. */
const release = holdProcess();
process.exitCode = await runMcpctl(process.argv.slice(2), {
  version: version(),
  output: standardOutput(),
  clock: new SystemClock(),
  configFolder: configFolder(),
  settings: () => clientSettings([apiClientSettings]).get(apiClientSettings),
});
release();
