import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { projectFile } from '../../app/project-file.js';
import type { CommandContext } from '../command.js';
import { runCli } from '../program.js';
import { authzTest } from './authz-test.js';

const EXAMPLES = projectFile('docs/examples/authorization');
/** Nothing of an installation may be asked for. */
const NO_INSTALLATION = new Proxy({} as CommandContext, {
  get: (_, part) => {
    throw new Error(`${String(part)} was asked for.`);
  },
});

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'nexusrag-test-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function run(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const [out, err]: [string[], string[]] = [[], []];
  const code = await runCli(['authz', 'test', ...args], {
    version: '1.2.3',
    commands: [authzTest],
    output: { out: (text) => out.push(text), err: (text) => err.push(text) },
    execute: (command, given) => command.execute(NO_INSTALLATION, given),
  });
  return { code, out: out.join('\n'), err: err.join('\n') };
}

function written(text: string): string {
  const file = join(folder, 'policies.yaml');
  writeFileSync(file, text);
  return file;
}

const EQUAL = '{ eq: [{ var: resource.labels.state }, draft] }';
const VALID = `
policies:
  - { name: allow-reading, effect: allow, resource_type: document, action: read }
  - name: deny-drafts
    effect: deny
    resource_type: document
    action: '*'
    condition_json: ${EQUAL}
  - { name: switched-off, effect: deny, resource_type: document, action: read, enabled: false }
principals:
  ada: { role: reader }
resources:
  plan: { type: document }
  draft: { type: document, labels: { state: draft } }
tests:
  - name: drafts
    principals: [ada]
    resources: [plan, draft]
    expect: { read: EXPECTED }
`;
const expecting = (text: string): string => written(VALID.replace('EXPECTED', text));

describe('the examples of the guide', () => {
  // An example that does not hold teaches a policy that does not.
  it.each(readdirSync(EXAMPLES))('hold, and need every one of their policies: %s', async (name) => {
    const { code, out, err } = await run(join(EXAMPLES, name), '--json');
    expect(err).toBe('');
    const result = JSON.parse(out);
    expect([code, result.failed, result.undecisive]).toEqual([0, 0, []]);
    expect(result.passed).toBeGreaterThan(3);
  });
});

describe('expectations', () => {
  it('that hold end with 0', async () => {
    const file = written(VALID.replace('resources: [plan, draft]', 'resources: [plan]').replace('EXPECTED', 'allow'));
    expect(await run(file)).toMatchObject({ code: 0, err: '', out: expect.stringContaining('1 as expected, 0 not.') });
  });

  // Pipelines stop a change of policies on this number.
  it('that fail end with 4, with who decided what', async () => {
    const { code, out } = await run(expecting('allow'));
    expect(code).toBe(4);
    expect(out).toMatch(/ok +drafts +ada +plan +read +allow +allow policy_allow allow-reading/);
    expect(out).toMatch(/FAILED +drafts +ada +draft +read +allow +deny policy_deny deny-drafts/);
    expect(out).toContain('1 as expected, 1 not.');
  });

  it.each([
    ['{ effect: deny, policy: deny-drafts, reason: policy_deny }', [false, true]],
    ['{ effect: allow, policy: deny-drafts }', [false, false]],
    ['{ effect: deny, reason: default_deny }', [false, false]],
  ])('may name the policy and the reason: %s', async (expected, passed) => {
    const { code, out } = await run(expecting(expected), '--json');
    const { outcomes } = JSON.parse(out) as { outcomes: { passed: boolean }[] };
    expect([code, outcomes.map((outcome) => outcome.passed)]).toEqual([4, passed]);
  });

  it('say which policies decided nothing, without those that are switched off', async () => {
    const file = written(VALID.replace('resources: [plan, draft]', 'resources: [plan]').replace('EXPECTED', 'allow'));
    expect((await run(file)).out).toContain('Decided nothing here: deny-drafts.');
  });

  it('follow the settings of the file', async () => {
    const nothing = VALID.replaceAll('action: read', 'action: write').replaceAll("action: '*'", 'action: write');
    const deny = nothing.replace('EXPECTED', '{ effect: deny, reason: default_deny }');
    const allow = nothing.replace('EXPECTED', '{ effect: allow, reason: default_allow }');
    expect((await run(written(deny))).code).toBe(0);
    expect((await run(written(`${allow}settings: { default_deny: false }\n`))).code).toBe(0);
  });

  it('may be JSON, with policies as the API lists them', async () => {
    const stored = { id: '1f', tenant_id: 't1', version: 3, created_by: null, created_at: '2026', updated_at: '2026' };
    const policy = { ...stored, name: 'p', effect: 'allow', resource_type: 'document', action: 'read', enabled: true };
    const tests = [{ name: 't', principals: ['a'], resources: ['d'], expect: { read: 'allow' } }];
    const file = {
      policies: [{ ...policy, condition_json: {}, priority: 10 }],
      principals: { a: { role: 'reader' } },
      resources: { d: { type: 'document' } },
      tests,
    };
    expect(await run(written(JSON.stringify(file)))).toMatchObject({ code: 0, err: '' });
  });

  it('see what a request would bring along', async () => {
    const condition = [
      `eq: [{ var: principal.id }, ada]`,
      `eq: [{ var: principal.tenant_id }, { var: resource.tenant_id }]`,
      `eq: [{ var: principal.auth_method }, api_key]`,
      `eq: [{ var: principal.plan }, null]`,
      `eq: [{ var: principal.groups }, []]`,
      `eq: [{ var: resource.id }, plan]`,
      `eq: [{ var: resource.status }, succeeded]`,
      `eq: [{ var: resource.metadata }, {}]`,
      `eq: [{ var: request.ip }, 10.1.2.3]`,
      `eq: [{ var: request.method }, null]`,
      `eq: [{ var: request.time }, '2026-03-02T09:00:00.000Z']`,
    ];
    const all = condition.map((part) => `        - ${part}`).join('\n');
    const file = VALID.replace(
      'action: read }',
      `action: read, condition_json: {} }\n  - name: every-attribute\n    effect: deny\n    resource_type: document
    action: read\n    condition_json:\n      all:\n${all}`,
    );
    const test = 'now: 2026-03-02T10:00:00+01:00\n    request: { ip: 10.1.2.3 }\n    expect';
    const expected = '{ effect: deny, policy: every-attribute }';
    const whole = file.replace('resources: [plan, draft]', 'resources: [plan]').replace('    expect', `    ${test}`);
    expect(await run(written(whole.replace('EXPECTED', expected)))).toMatchObject({ code: 0, err: '' });
  });
});

describe('a file that cannot be tested ends with 2', () => {
  it.each([
    ['no YAML', ['policies:', 'policies: ['], /:\d+: /],
    ['two of a name', ['name: deny-drafts', 'name: allow-reading'], /:4: policies.1.name: names another policy, too/],
    ['an unknown field', ['effect: deny', 'efect: deny'], /:4: policies.1: Unrecognized key: "efect"/],
    ['an effect that is none', ['effect: deny', 'effect: refuse'], /:5: policies.1.effect: .*"allow"\|"deny"/],
    [
      'a scope that nobody asks for',
      ["action: '*'", 'action: run'],
      /:4: policies.1: Nothing ever asks for document:run/,
    ],
    [
      'a double wildcard',
      ['resource_type: document\n    action', "resource_type: '*'\n    action"],
      /:4: policies.1: /,
    ],
    [
      'a condition without operator',
      ['eq: [', 'matches: ['],
      /:8: policies.1.condition_json: .*matches is no operator/,
    ],
    [
      'a condition that is too deep',
      [EQUAL, `${'{ not: '.repeat(7)}${EQUAL}${' }'.repeat(7)}`],
      /:8: policies.1.condition_json: .*levels/,
    ],
    ['a role that is none', ['role: reader', 'role: owner'], /:11: principals.ada.role: /],
    ['a resource of no type', ['type: document }', 'id: x }'], /:13: resources.plan.type: /],
    ['a principal that is none', ['[ada]', '[ada, eve]'], /:17: tests.0.principals.1: is none of the principals/],
    ['a resource that is none', ['[plan, draft]', '[paln]'], /:18: tests.0.resources.0: is none of the resources/],
    [
      'an action that is none',
      ['read: EXPECTED', 'print: allow'],
      /:19: tests.0.expect.print: nothing asks for document:print/,
    ],
    [
      'a policy that is none',
      ['EXPECTED', '{ effect: deny, policy: x }'],
      /:19: tests.0.expect.read.policy: is none of/,
    ],
    ['no time for a condition that asks for it', ['resource.labels.state', 'request.time'], /:16: tests.0: needs now/],
    ['a time that is none', ['    expect', '    now: noon\n    expect'], /:19: tests.0.now: /],
    ['nothing', [VALID, ''], /:1: Invalid input/],
  ])('%s', async (_what, [from = '', to = ''], message) => {
    const { code, out, err } = await run(written(VALID.replace(from, to).replace('EXPECTED', 'allow')));
    expect([code, out]).toEqual([2, '']);
    expect(err).toMatch(/^POLICY_TESTS_INVALID: /);
    expect(err).toMatch(message);
  });

  it('all faults together, but for those of a long list', async () => {
    const wrong = VALID.replace('[plan, draft]', '[x, y]').replace('[ada]', '[z]').replace('EXPECTED', 'allow');
    expect((await run(written(wrong))).err.split('\n')).toHaveLength(3);
    const many = VALID.replace('[plan, draft]', `[${'x, '.repeat(50)}y]`).replace('EXPECTED', 'allow');
    const lines = (await run(written(many))).err.split('\n');
    expect([lines.length, lines.at(-1)]).toEqual([21, 'and 31 more']);
  });

  // Ten lines of aliases of aliases are a terabyte.
  it('aliases without bound, and more questions than anybody asks', async () => {
    const bomb = [
      'a: &a [x]',
      ...'bcdefghij'.split('').map((name, at) => `${name}: &${name} [${`*${'abcdefghi'[at]}, `.repeat(10)}]`),
    ];
    expect(await run(written(bomb.join('\n')))).toMatchObject({ code: 2, err: expect.stringMatching(/alias/i) });
    const crowd = `[${'ada, '.repeat(400)}]`;
    const many = VALID.replace('[ada]', crowd).replace('[plan, draft]', `[${'plan, '.repeat(400)}]`);
    const { code, err } = await run(written(many.replace('EXPECTED', 'allow')));
    expect([code, err]).toEqual([2, expect.stringContaining('at most 100000 questions')]);
  });

  it('a file that is not there', async () => {
    const { code, err } = await run(join(folder, 'missing.yaml'));
    expect([code, err]).toEqual([2, expect.stringMatching(/^USAGE: <file> cannot be read: .*ENOENT/)]);
  });
});
