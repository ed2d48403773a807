import { CommanderError } from 'commander';
import { commandLine, type CliOutput } from './command-line.js';
import type { Command } from './command.js';
import { asFailure, EXIT } from './failure.js';
import { renderView } from './view.js';

export interface CliParts {
  readonly version: string;
  readonly commands: readonly Command[];
  readonly output: CliOutput;
  /** Executes a command wherever it has to run. */
  execute(command: Command, args: Record<string, unknown>): Promise<unknown>;
}

/** Runs one command line and returns its exit code. Results go to the output, faults as `CODE: message` to the error output. */
export async function runCli(argv: readonly string[], parts: CliParts): Promise<number> {
  let exitCode: number = EXIT.ok;
  const program = commandLine({
    name: 'nexusrag',
    description: 'Operates a NexusRAG installation.',
    faultPrefix: 'USAGE: ',
    groups: GROUPS,
    ...parts,
    perform: async (command, args, json) => {
      const result = await parts.execute(command, args);
      const presented = command.present(result);
      parts.output.out(json ? JSON.stringify(result, null, 2) : renderView(presented.view));
      exitCode = presented.exitCode;
    },
  });
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    const failure = asFailure(error);
    parts.output.err(`${failure.code}: ${failure.message}`);
    return failure.exitCode;
  }
}

const GROUPS: Readonly<Record<string, string>> = {
  authz: 'Test authorization policies.',
  keys: 'Create, list, rotate and revoke API keys.',
  migrate: 'Bring the database schema up to date.',
  provider: 'Try the retrieval provider of a corpus.',
  receipts: 'Verify receipts of answers.',
  seed: 'Add example data.',
  webhooks: 'Look at webhook deliveries and send dead ones again.',
};
