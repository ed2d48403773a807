import { z } from 'zod';
import { rbacAbacSettings, readPolicyTests, runPolicyTests, type Fault } from '../../features/rbac-abac/index.js';
import { loadSettings } from '../../kernel/settings.js';
import { defineCommand } from '../command.js';
import { CommandFailure, EXIT } from '../failure.js';
import { givenText } from '../given-text.js';
import { YamlDocument } from '../yaml-document.js';

/** Differs from that of a file that could not be tested. */
const UNEXPECTED = 4;
const MOST_FAULTS = 20;

const outcome = z.object({
  test: z.string(),
  principal: z.string(),
  resource: z.string(),
  action: z.string(),
  expected: z.object({ effect: z.string(), policy: z.string().optional(), reason: z.string().optional() }),
  effect: z.string(),
  reason: z.string(),
  policy: z.string().nullable(),
  passed: z.boolean(),
});

export const authzTest = defineCommand({
  name: 'authz test',
  summary: 'Ask the policies of a YAML file what it expects of them. Ends with 4 when a decision is another one.',
  positional: ['file'],
  args: z.strictObject({ file: z.string().min(1, 'must not be empty').describe('policies and expectations') }),
  local: true,
  result: z.object({ passed: z.int(), failed: z.int(), undecisive: z.array(z.string()), outcomes: z.array(outcome) }),
  run: async (_context, { file }) => {
    const tests = await read(file);
    const outcomes = runPolicyTests(tests);
    const failed = outcomes.filter(({ passed }) => !passed).length;
    const decisive = new Set(outcomes.map(({ policy }) => policy));
    return {
      passed: outcomes.length - failed,
      failed,
      undecisive: tests.policies.map(({ id }) => id).filter((name) => !decisive.has(name)),
      outcomes: outcomes.map(({ of: { test, principal, resource, scope, expected }, ...got }) => ({
        ...{ test, principal, resource, action: scope.action, expected },
        ...got,
      })),
    };
  },
  view: ({ outcomes, passed, failed, undecisive }) => ({
    kind: 'table',
    head: ['', 'test', 'principal', 'resource', 'action', 'expected', 'decision'],
    rows: outcomes.map(({ expected, effect, reason, policy, ...of }) => [
      of.passed ? 'ok' : 'FAILED',
      of.test,
      of.principal,
      of.resource,
      of.action,
      [expected.effect, expected.reason, expected.policy].filter((part) => part !== undefined).join(' '),
      [effect, reason, policy].filter((part) => part !== null).join(' '),
    ]),
    empty: 'The file expects nothing.',
    note: [
      `${passed} as expected, ${failed} not.`,
      ...(undecisive.length === 0 ? [] : [`Decided nothing here: ${undecisive.join(', ')}.`]),
    ].join(' '),
  }),
  exitCode: ({ failed }) => (failed === 0 ? EXIT.ok : UNEXPECTED),
});

async function read(file: string): Promise<Parameters<typeof runPolicyTests>[0]> {
  const document = YamlDocument.parse(await givenText('<file>', file));
  if (!(document instanceof YamlDocument)) {
    throw invalid(document.map(({ line, message }) => `${file}:${line}: ${message}`));
  }
  const { maxPolicyBytes: maxBytes, maxPolicyDepth: maxDepth } = loadSettings({}, [rbacAbacSettings]).get(
    rbacAbacSettings,
  );
  const read = readPolicyTests(document.value, { maxBytes, maxDepth });
  if (read.ok) return read.tests;
  const place = ({ path, message }: Fault): string => {
    const at = path.length === 0 ? '' : `${path.join('.')}: `;
    return `${file}:${document.lineOf(path)}: ${at}${message}`;
  };
  throw invalid(read.faults.map(place));
}

function invalid(faults: readonly string[]): CommandFailure {
  const shown = faults.slice(0, MOST_FAULTS);
  const more = faults.length > shown.length ? [`and ${faults.length - shown.length} more`] : [];
  return new CommandFailure('POLICY_TESTS_INVALID', [...shown, ...more].join('\n'), EXIT.usage);
}
