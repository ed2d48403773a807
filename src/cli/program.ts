import { Command as Commander, CommanderError } from 'commander';
import { z } from 'zod';
import { optionName, placeName, type Command } from './command.js';
import { asFailure, EXIT } from './failure.js';
import { renderView } from './view.js';

export interface CliOutput {
  out(text: string): void;
  err(text: string): void;
}

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
  const program = buildProgram(parts, async (command, args, json) => {
    const result = await parts.execute(command, args);
    const presented = command.present(result);
    parts.output.out(json ? JSON.stringify(result, null, 2) : renderView(presented.view));
    exitCode = presented.exitCode;
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

type Perform = (command: Command, args: Record<string, unknown>, json: boolean) => Promise<void>;

function buildProgram({ version, commands, output }: CliParts, perform: Perform): Commander {
  const program = new Commander('nexusrag').description('Operates a NexusRAG installation.').version(version);
  // Before the subcommands, which inherit it.
  program
    .configureOutput({
      writeOut: (text) => output.out(text.trimEnd()),
      writeErr: (text) => output.err(text.trimEnd()),
      outputError: (text, write) => write(text.replace(/^error: /, 'USAGE: ')),
    })
    .exitOverride()
    .showHelpAfterError('Add --help to see how the command is used.');
  for (const command of commands) addCommand(program, command, perform);
  return program;
}

function addCommand(program: Commander, command: Command, perform: Perform): void {
  const words = command.name.split(' ');
  const last = words.pop() ?? '';
  const leaf = groupOf(program, words).command(last).description(command.summary).summary(command.summary);
  const fields = describeArgs(command.args);
  for (const field of fields.filter(({ key }) => command.positional.includes(key))) {
    leaf.argument(`<${placeName(field.key)}>`, field.description);
  }
  for (const field of fields.filter(({ key }) => !command.positional.includes(key))) {
    const flag = `--${optionName(field.key)}`;
    if (field.type === 'boolean') leaf.option(flag, field.description);
    else if (field.required) leaf.requiredOption(`${flag} <${field.placeholder}>`, field.description);
    else leaf.option(`${flag} <${field.placeholder}>`, field.description);
  }
  leaf.option('--json', 'print the result as JSON');
  leaf.action(async () => {
    const { json, ...options } = leaf.opts<Record<string, unknown>>();
    const places = command.positional.map((key, index) => [key, leaf.args[index]] as const);
    await perform(command, { ...options, ...Object.fromEntries(places) }, json === true);
  });
}

const GROUPS: Readonly<Record<string, string>> = {
  authz: 'Test authorization policies.',
  keys: 'Create, list, rotate and revoke API keys.',
  migrate: 'Bring the database schema up to date.',
  provider: 'Try the retrieval provider of a corpus.',
  seed: 'Add example data.',
  webhooks: 'Look at webhook deliveries and send dead ones again.',
};

function groupOf(program: Commander, words: readonly string[]): Commander {
  return words.reduce((parent, word) => {
    const existing = parent.commands.find((candidate) => candidate.name() === word);
    return existing ?? parent.command(word).description(GROUPS[word] ?? '');
  }, program);
}

interface ArgField {
  readonly key: string;
  readonly type: string | undefined;
  readonly description: string;
  readonly required: boolean;
  readonly placeholder: string;
}

const jsonSchema = z.object({
  properties: z.record(
    z.string(),
    z.object({ type: z.string().optional(), description: z.string().default(''), default: z.unknown().optional() }),
  ),
  required: z.array(z.string()).default([]),
});

/** The command line follows from the same schema that checks it. */
function describeArgs(args: z.ZodObject): ArgField[] {
  const { properties, required } = jsonSchema.parse(z.toJSONSchema(args, { io: 'input' }));
  return Object.entries(properties).map(([key, property]) => ({
    key,
    type: property.type,
    description: describe(property.description, property.default),
    required: required.includes(key),
    placeholder: property.type === 'integer' || property.type === 'number' ? 'number' : 'text',
  }));
}

function describe(description: string, fallback: unknown): string {
  return fallback === undefined || fallback === false
    ? description
    : `${description} (default: ${JSON.stringify(fallback)})`;
}
