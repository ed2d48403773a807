import { z } from 'zod';
import { ROLES } from '../../../kernel/principal.js';

const name = z.string().min(1).max(128);
const instant = z.iso.datetime({ offset: true }).transform((text) => new Date(text).toISOString());
const json = z.record(z.string(), z.json());

/** What the API adds; of no meaning here. */
const ignored = z.unknown().optional();
const STORED = {
  id: ignored,
  tenant_id: ignored,
  version: ignored,
  created_by: ignored,
  created_at: ignored,
  updated_at: ignored,
};

/** As the API takes and as it lists them. */
const policy = z.strictObject({
  name,
  effect: z.enum(['allow', 'deny']),
  resource_type: z.string(),
  action: z.string(),
  condition_json: json.nullable().default(null),
  priority: z.int().default(100),
  enabled: z.boolean().default(true),
  ...STORED,
});

const principal = z.strictObject({
  id: name.optional(),
  role: z.enum(ROLES),
  auth_method: z.enum(['api_key', 'sso_session', 'dev_bypass']).default('api_key'),
  plan: name.nullable().default(null),
  groups: z.array(name).default([]),
});

const resource = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('document'),
    id: name.optional(),
    corpus_id: name.default('corpus'),
    status: name.default('succeeded'),
    content_type: name.default('text/plain'),
    metadata: json.default({}),
    labels: z.record(z.string(), z.string()).default({}),
  }),
  z.strictObject({ type: z.literal('corpus'), id: name.optional() }),
]);

/** A file whose policies are invalid does not run. */
const DECIDED_BY = ['policy_allow', 'policy_deny', 'default_allow', 'default_deny'] as const;

const expectation = z.preprocess(
  (given) => (typeof given === 'string' ? { effect: given } : given),
  z.strictObject({ effect: z.enum(['allow', 'deny']), policy: name.optional(), reason: z.enum(DECIDED_BY).optional() }),
);

const request = z.strictObject({
  ip: name.nullable().default(null),
  route_class: name.nullable().default(null),
  method: name.nullable().default(null),
  path: name.nullable().default(null),
});

const test = z.strictObject({
  name,
  now: instant.optional(),
  principals: z.array(name).min(1),
  resources: z.array(name).min(1),
  request: request.prefault({}),
  expect: z.record(name, expectation),
});

/** What a file of policy tests says, once it is parsed. */
export const policyTestsFile = z.strictObject({
  now: instant.optional(),
  settings: z
    .strictObject({ default_deny: z.boolean().default(true), allow_wildcards: z.boolean().default(false) })
    .prefault({}),
  policies: z.array(policy).max(1000),
  principals: z.record(name, principal),
  resources: z.record(name, resource),
  tests: z.array(test).min(1),
});
export type PolicyTestsFile = z.output<typeof policyTestsFile>;
