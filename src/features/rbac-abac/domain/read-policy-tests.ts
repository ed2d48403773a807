import type { Asking, JsonObject } from './attributes.js';
import { checkCondition, type ConditionLimits } from './condition-limits.js';
import { resourceOf } from './document-rules.js';
import type { PolicyCase, PolicyTests } from './policy-tests.js';
import { policyTestsFile, type PolicyTestsFile } from './policy-tests-file.js';
import { EVALUATED, type Scope } from './scope.js';
import { ASKED, scopeOf } from './stored-policy.js';

/** A file names no tenant: there is one. */
const TENANT = 'tenant';
/** Lists multiply. */
const MOST_CASES = 100_000;

export interface Fault {
  /** Keys and positions from the root of the document. */
  readonly path: readonly (string | number)[];
  readonly message: string;
}

export type ReadPolicyTests =
  { readonly ok: true; readonly tests: PolicyTests } | { readonly ok: false; readonly faults: readonly Fault[] };

/** @param document what the file says, parsed. */
export function readPolicyTests(document: unknown, limits: ConditionLimits): ReadPolicyTests {
  const parsed = policyTestsFile.safeParse(document);
  if (!parsed.success) {
    const faults = parsed.error.issues.map(({ path, message }) => ({
      path: path.map((key) => (typeof key === 'symbol' ? String(key) : key)),
      message,
    }));
    return { ok: false, faults };
  }
  const file = parsed.data;
  const faults = [...faultsOfPolicies(file, limits), ...faultsOfTests(file)];
  if (faults.length > 0) return { ok: false, faults };
  const policies = file.policies
    .filter(({ enabled }) => enabled)
    .map(({ name: id, effect, priority, condition_json, ...of }) => {
      const scope = scopeOf(of.resource_type, of.action, true);
      if ('fault' in scope) throw new Error(scope.fault);
      return { id, effect, priority, condition: condition_json ?? {}, ...scope };
    });
  return { ok: true, tests: { defaultDeny: file.settings.default_deny, policies, cases: casesOf(file) } };
}

function faultsOfPolicies({ policies, settings }: PolicyTestsFile, limits: ConditionLimits): Fault[] {
  const names = policies.map(({ name }) => name);
  return policies.flatMap(({ name, resource_type, action, condition_json }, index) => {
    const faults: Fault[] = [];
    if (names.indexOf(name) < index)
      faults.push({ path: ['policies', index, 'name'], message: 'names another policy, too' });
    const scope = scopeOf(resource_type, action, settings.allow_wildcards);
    if ('fault' in scope) faults.push({ path: ['policies', index], message: scope.fault });
    const checked = checkCondition(condition_json, limits);
    if (!checked.ok) faults.push({ path: ['policies', index, 'condition_json'], message: checked.reason });
    return faults;
  });
}

function faultsOfTests(file: PolicyTestsFile): Fault[] {
  const asksForTime = file.policies.find(({ condition_json }) =>
    JSON.stringify(condition_json).includes('request.time'),
  );
  let cases = 0;
  return file.tests.flatMap((test, index) => {
    const at = (path: Fault['path'], message: string): Fault => ({ path: ['tests', index, ...path], message });
    const faults: Fault[] = [];
    test.principals.forEach((name, place) => {
      if (!Object.hasOwn(file.principals, name)) faults.push(at(['principals', place], 'is none of the principals'));
    });
    test.resources.forEach((name, place) => {
      if (!Object.hasOwn(file.resources, name)) faults.push(at(['resources', place], 'is none of the resources'));
    });
    for (const [action, { policy }] of Object.entries(test.expect)) {
      const types = new Set(test.resources.map((name) => file.resources[name]?.type));
      for (const type of types) {
        if (type !== undefined && scopeFor(type, action) === undefined)
          faults.push(at(['expect', action], `nothing asks for ${type}:${action}; what is asked for is ${ASKED}`));
      }
      if (policy !== undefined && !file.policies.some(({ name }) => name === policy))
        faults.push(at(['expect', action, 'policy'], 'is none of the policies'));
    }
    if (asksForTime !== undefined && test.now === undefined && file.now === undefined)
      faults.push(at([], `needs now: the policy ${asksForTime.name} asks for request.time`));
    cases += test.principals.length * test.resources.length * Object.keys(test.expect).length;
    if (cases > MOST_CASES) faults.push(at([], `is one too many: at most ${MOST_CASES} questions in a file`));
    return faults;
  });
}

function scopeFor(type: string, action: string): Scope | undefined {
  return EVALUATED.find((scope) => scope.resourceType === type && scope.action === action);
}

function casesOf(file: PolicyTestsFile): PolicyCase[] {
  return file.tests.flatMap((test) =>
    test.principals.flatMap((principal) =>
      test.resources.flatMap((resource) =>
        Object.entries(test.expect).flatMap(([action, expected]) => {
          const scope = scopeFor(file.resources[resource]?.type ?? '', action);
          if (scope === undefined) return [];
          const attributes = { ...askingOf(file, test, principal), resource: resourceIn(file, resource) };
          return [{ test: test.name, principal, resource, scope, attributes, expected }];
        }),
      ),
    ),
  );
}

/** The attributes that a request of the principal would have. */
function askingOf(file: PolicyTestsFile, test: PolicyTestsFile['tests'][number], name: string): Asking {
  const { id = name, ...principal } = file.principals[name] ?? {};
  return {
    principal: { id, tenant_id: TENANT, ...principal },
    request: { time: test.now ?? file.now ?? null, ...test.request },
  };
}

function resourceIn({ resources }: PolicyTestsFile, name: string): JsonObject {
  const resource = resources[name];
  const id = resource?.id ?? name;
  if (resource?.type !== 'document') return { id, tenant_id: TENANT, corpus_id: id, labels: {} };
  const { corpus_id: corpusId, content_type: contentType, status, metadata, labels } = resource;
  return resourceOf({ id, tenantId: TENANT, corpusId, contentType, status, metadata, labels, granted: true });
}
