import { Command as Commander } from 'commander';
import { z } from 'zod';
import { optionName, placeName, type CommandUsage } from './arguments.js';

export interface CliOutput {
  out(text: string): void;
  err(text: string): void;
}

export interface CommandLineParts<C extends CommandUsage> {
  readonly name: string;
  readonly description: string;
  readonly version: string;
  readonly commands: readonly C[];
  /** What the words in front of several commands are about. */
  readonly groups: Readonly<Record<string, string>>;
  readonly output: CliOutput;
  /** What faults of usage begin with. */
  readonly faultPrefix: string;
  perform(command: C, args: Record<string, unknown>, json: boolean): Promise<void>;
}

/** A program with subcommands. Parsing it throws a CommanderError for faults of usage, and for help that was asked for. */
export function commandLine<C extends CommandUsage>(parts: CommandLineParts<C>): Commander {
  const { output, faultPrefix } = parts;
  const program = new Commander(parts.name).description(parts.description).version(parts.version);
  // Before the subcommands, which inherit it.
  program
    .configureOutput({
      writeOut: (text) => output.out(text.trimEnd()),
      writeErr: (text) => output.err(text.trimEnd()),
      outputError: (text, write) => write(text.replace(/^error: /, faultPrefix)),
    })
    .exitOverride()
    .showHelpAfterError('Add --help to see how the command is used.');
  for (const command of parts.commands) addCommand(program, command, parts);
  return program;
}

function addCommand<C extends CommandUsage>(program: Commander, command: C, parts: CommandLineParts<C>): void {
  const words = command.name.split(' ');
  const last = words.pop() ?? '';
  const leaf = groupOf(program, words, parts.groups)
    .command(last)
    .description(command.summary)
    .summary(command.summary);
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
    await parts.perform(command, { ...options, ...Object.fromEntries(places) }, json === true);
  });
}

function groupOf(
  program: Commander,
  words: readonly string[],
  descriptions: Readonly<Record<string, string>>,
): Commander {
  return words.reduce((parent, word) => {
    const existing = parent.commands.find((candidate) => candidate.name() === word);
    return existing ?? parent.command(word).description(descriptions[word] ?? '');
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
