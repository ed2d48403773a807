import { join } from 'node:path';
import { CommanderError } from 'commander';
import { SettingsError, type SettingsOf } from '../../kernel/settings.js';
import type { Clock } from '../../kernel/time.js';
import { ApiClient, ApiRefusal, ApiUnreachable, type apiClientSettings } from '../../platform/api-client/index.js';
import { commandLine, type CliOutput } from '../command-line.js';
import { printable } from '../view.js';
import { UsageFault, type ApiCommand } from './api-command.js';
import { apiTarget, type GivenConnection } from './connection.js';
import { LocalFault } from './local-fault.js';
import { PROVIDER_KEY_COMMANDS } from './provider-keys.js';
import { RECEIPT_COMMANDS } from './receipts.js';
import { RESIDENCY_COMMANDS } from './residency.js';
import { sortedJson } from './sorted-json.js';
import { rowsOf, Table } from './table.js';
import { VECTOR_DB_COMMANDS } from './vector-dbs.js';

const EXIT = { ok: 0, local: 1, usage: 2, refused: 4, serverFault: 5 } as const;

const COMMANDS: readonly ApiCommand[] = [
  ...VECTOR_DB_COMMANDS,
  ...PROVIDER_KEY_COMMANDS,
  ...RESIDENCY_COMMANDS,
  ...RECEIPT_COMMANDS,
];

const GROUPS: Readonly<Record<string, string>> = {
  'vector-dbs': 'Govern vector databases.',
  residency: 'Say where data may be.',
  attachments: 'Attach workloads to a vector database, and detach them.',
  incidents: 'Log and resolve incidents of a vector database.',
  keys: 'Register, rotate, bind and revoke keys that a customer holds.',
  receipts: 'Look at what was retrieved, prove it, and ask again.',
};

export interface McpctlParts {
  readonly version: string;
  readonly output: CliOutput;
  readonly clock: Clock;
  /** Of the user, where `mcpctl/config.yaml` may be. */
  readonly configFolder: string;
  /** @throws SettingsError */
  readonly settings: () => SettingsOf<typeof apiClientSettings>;
}

/** Runs one command line and returns its exit code. Results go to the output, everything else to the error output. */
export async function runMcpctl(argv: readonly string[], parts: McpctlParts): Promise<number> {
  let current: ApiCommand | undefined;
  let exitCode: number = EXIT.ok;
  const program = commandLine({
    name: 'mcpctl',
    description: 'Governs data, keys and receipts through the API of a NexusRAG server.',
    version: parts.version,
    commands: COMMANDS,
    groups: GROUPS,
    output: parts.output,
    faultPrefix: 'Error: ',
    perform: async (command, args, json) => {
      current = command;
      const isGood = await perform(command, args, json, program.opts<GivenConnection>(), parts);
      exitCode = isGood ? EXIT.ok : EXIT.local;
    },
  })
    .option('--host <url>', 'server to talk to; before MCP_HOST_URL (default: http://localhost:8000)')
    .option('--token <text>', 'API key; others on this machine can see it, so better --token-file or MCP_HOST_TOKEN')
    .option('--token-file <path>', 'file with the API key')
    .option('--profile <name>', 'host and token of mcpctl/config.yaml in the configuration folder of the user')
    .option('--timeout <seconds>', 'longest wait for an answer (default: 30)');
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return exitCode;
  } catch (error) {
    return reported(error, current, parts.output);
  }
}

/** @returns whether a script may go on. */
async function perform(
  command: ApiCommand,
  args: Record<string, unknown>,
  json: boolean,
  connection: GivenConnection,
  { output, clock, configFolder, settings }: McpctlParts,
): Promise<boolean> {
  const target = await apiTarget(connection, settings(), join(configFolder, 'mcpctl', 'config.yaml'));
  const table = new Table(command.columns);
  const show = (data: unknown): void => {
    output.out(json ? sortedJson(data, 2) : table.lines(rowsOf(data)).join('\n'));
  };
  const note = (text: string): void => output.err(text);
  const running = command.run({ api: new ApiClient(target, clock), clock, note }, args);
  if (Symbol.asyncIterator in running) {
    for await (const data of running) show(data);
    return true;
  }
  const { data, nextCursor } = await running;
  show(data);
  const remark = command.remark(data);
  if (remark !== undefined) note(remark);
  if (nextCursor !== undefined) note(`There are more: repeat with --cursor ${nextCursor}`);
  return command.isGood(data);
}

function reported(error: unknown, command: ApiCommand | undefined, output: CliOutput): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  if (error instanceof ApiRefusal) {
    output.err(refusalText(error, command?.name ?? ''));
    return error.status >= 500 ? EXIT.serverFault : EXIT.refused;
  }
  const known = [LocalFault, UsageFault, ApiUnreachable, SettingsError].some((kind) => error instanceof kind);
  output.err(`Error: ${known || !(error instanceof Error) ? messageOf(error) : (error.stack ?? error.message)}`);
  return error instanceof UsageFault ? EXIT.usage : EXIT.local;
}

function refusalText({ status, message: said, details, requestId }: ApiRefusal, command: string): string {
  const message = printable(said);
  const during = /^vector-dbs (.*)$/.exec(command)?.[1];
  return [
    during === undefined ? `API error (${status}): ${message}` : `API error during ${during}: ${message}`,
    ...(details === undefined ? [] : [`Details: ${printable(sortedJson(details))}`]),
    ...(status === 401 ? ['Give an API key with --token-file, MCP_HOST_TOKEN or --profile.'] : []),
    ...(status >= 500 && requestId !== undefined ? [`Request: ${printable(requestId)}`] : []),
  ].join('\n');
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
