#!/usr/bin/env node
import { version } from './app/version.js';
import { SETTINGS } from './app/catalogue.js';
import { dispatch } from './cli/dispatch.js';
import { runCli } from './cli/program.js';
import { COMMANDS } from './cli/registry.js';
import { standardOutput } from './cli/standard-output.js';
import { settingsFromEnvironment } from './platform/settings/index.js';

/** The command line, beside the server that it operates. */
process.exitCode = await runCli(process.argv.slice(2), {
  version: version(),
  commands: COMMANDS,
  output: standardOutput(),
  execute: (command, args) => dispatch(command, args, () => settingsFromEnvironment(SETTINGS)),
});
