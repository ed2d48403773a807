import { beforeEach, describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { commonErrors } from '../kernel/common-errors.js';
import { defineCommand, type Command, type CommandContext } from './command.js';
import { CommandFailure } from './failure.js';
import { runCli } from './program.js';

const unused = {} as CommandContext;

const greet = defineCommand({
  name: 'people greet',
  summary: 'Greet somebody.',
  positional: ['personId'],
  args: z.strictObject({
    personId: z.string().min(3, 'is too short').describe('whom'),
    tenant: z.string().describe('where'),
    maxDays: z.coerce.number('must be a number').int().default(7).describe('how long'),
    nickName: z.string().optional().describe('how'),
    loudly: z.boolean().default(false).describe('with emphasis'),
  }),
  result: z.object({ args: z.record(z.string(), z.unknown()) }),
  run: async (_context, args) => ({ args }),
  view: ({ args }) => ({ kind: 'fields', fields: Object.entries(args).map(([key, value]) => [key, String(value)]) }),
  exitCode: ({ args }) => (args['nickName'] === 'sick' ? 1 : 0),
});

const check = defineCommand({
  name: 'check',
  summary: 'Check.',
  args: z.strictObject({}),
  result: z.object({ fine: z.boolean() }),
  run: async () => ({ fine: true }),
  view: ({ fine }) => ({ kind: 'lines', lines: [`fine: ${fine}`] }),
});

let out: string[];
let err: string[];
beforeEach(() => {
  out = [];
  err = [];
});

function run(line: string[], execute?: (command: Command, args: Record<string, unknown>) => Promise<unknown>) {
  return runCli(line, {
    version: '1.2.3',
    commands: [check, greet],
    output: { out: (text) => out.push(text), err: (text) => err.push(text) },
    execute: execute ?? ((command, args) => command.execute(unused, args)),
  });
}

describe('the command line', () => {
  it('turns places, options and flags into the arguments of the schema', async () => {
    const line = ['people', 'greet', 'p-17', '--tenant', 't1', '--max-days', '30', '--nick-name', 'Jo', '--loudly'];
    expect(await run([...line, '--json'])).toBe(0);
    expect(JSON.parse(out.join(''))).toEqual({
      args: { personId: 'p-17', tenant: 't1', maxDays: 30, nickName: 'Jo', loudly: true },
    });
  });

  it('leaves defaults to the schema', async () => {
    await run(['people', 'greet', 'p-17', '--tenant', 't1', '--json']);
    expect(JSON.parse(out.join(''))).toEqual({ args: { personId: 'p-17', tenant: 't1', maxDays: 7, loudly: false } });
  });

  it('prints for people unless JSON is asked for', async () => {
    await run(['check']);
    await run(['check', '--json']);
    expect(out).toEqual(['fine: true', '{\n  "fine": true\n}']);
  });

  it.each([
    [['people', 'greet', 'p-17'], /^USAGE: required option '--tenant/],
    [['people', 'greet', '--tenant', 't1'], /^USAGE: missing required argument 'person_id'/],
    [['people', 'greet', 'p', '--tenant', 't1'], /^USAGE: <person_id> is too short$/],
    [['people', 'greet', 'p-17', '--tenant', 't1', '--max-days', 'x'], /^USAGE: --max-days must be a number$/],
    [['people', 'greet', 'p-17', 'more', '--tenant', 't1'], /^USAGE: too many arguments/],
    [['check', '--wrong'], /^USAGE: unknown option '--wrong'/],
    [['chekc'], /^USAGE: unknown command 'chekc'/],
  ])('calls %j a usage error', async (line, message) => {
    expect(await run(line)).toBe(2);
    expect(err.join('\n')).toMatch(message);
    expect(out).toEqual([]);
  });

  it('helps when asked, and when a command is incomplete', async () => {
    expect(await run(['people', 'greet', '--help'])).toBe(0);
    expect(out.join('\n')).toMatch(/greet \[options\] <person_id>[\s\S]*--max-days <\w+>\s+how long \(default: 7\)/);
    expect(await run(['people'])).toBe(2);
    expect(await run(['--version'])).toBe(0);
    expect(out.at(-1)).toBe('1.2.3');
  });

  it('reports faults as CODE: message with the exit code of their kind', async () => {
    const failing = (error: Error) => run(['check'], () => Promise.reject(error));
    expect(await failing(commonErrors.NOT_FOUND({ message: 'No such key.' }))).toBe(1);
    expect(await failing(commonErrors.VALIDATION_ERROR({ message: 'Not valid.' }))).toBe(2);
    expect(await failing(new CommandFailure('SOMETHING', 'Odd.', 4))).toBe(4);
    expect(await failing(new TypeError('x is undefined'))).toBe(1);
    expect(err).toEqual([
      'NOT_FOUND: No such key.',
      'VALIDATION_ERROR: Not valid.',
      'SOMETHING: Odd.',
      'INTERNAL_ERROR: x is undefined',
    ]);
  });

  it('exits as a result that is bad news demands', async () => {
    expect(await run(['people', 'greet', 'p-17', '--tenant', 't1', '--nick-name', 'sick'])).toBe(1);
  });

  it('refuses the result of another version', async () => {
    expect(await run(['check'], async () => ({ other: 1 }))).toBe(1);
    expect(err).toEqual([expect.stringMatching(/^VERSION_MISMATCH: /)]);
  });
});
