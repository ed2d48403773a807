import { bool, defineSettings, int, type Rule, type SettingsOf } from '../../kernel/settings.js';

const FIELDS = {
  abacEnabled: bool({
    env: 'AUTHZ_ABAC_ENABLED',
    default: true,
    doc: 'Ask the policies. Without them roles and document grants alone decide.',
  }),
  defaultDeny: bool({
    env: 'AUTHZ_DEFAULT_DENY',
    default: true,
    doc: 'Refuse what no policy matches.',
  }),
  adminBypassDocumentAcl: bool({
    env: 'AUTHZ_ADMIN_BYPASS_DOCUMENT_ACL',
    default: false,
    doc: 'Admins need no grant for a document. Policies still bind them.',
  }),
  maxPolicyBytes: int({
    env: 'AUTHZ_MAX_POLICY_BYTES',
    default: 16_384,
    min: 64,
    max: 1_048_576,
    unit: 'bytes',
    doc: 'Largest condition of a policy, as compact JSON.',
  }),
  maxPolicyDepth: int({
    env: 'AUTHZ_MAX_POLICY_DEPTH',
    default: 8,
    min: 1,
    max: 64,
    unit: 'levels',
    doc: 'Deepest condition of a policy; the root is the first level.',
  }),
  simulationEnabled: bool({
    env: 'AUTHZ_SIMULATION_ENABLED',
    default: true,
    doc: 'Let admins try policies without using them.',
  }),
  allowWildcards: bool({
    env: 'AUTHZ_ALLOW_WILDCARDS',
    default: false,
    doc: 'Accept policies for every action on every resource type.',
  }),
  bootstrapBaselinePolicies: bool({
    env: 'AUTHZ_BOOTSTRAP_BASELINE_POLICIES',
    default: true,
    doc: 'Give new tenants two policies that allow documents (with a grant) and runs. Without any, everything is refused.',
  }),
  policyCacheTtlSeconds: int({
    env: 'AUTHZ_POLICY_CACHE_TTL_S',
    default: 30,
    min: 0,
    max: 300,
    unit: 's',
    doc: 'How long the policies of a tenant are remembered. A change reaches every process at once all the same; 0 reads them each time.',
  }),
  requireTenantPredicate: bool({
    env: 'AUTHZ_REQUIRE_TENANT_PREDICATE',
    default: true,
    doc: 'Only true is accepted: the database itself keeps tenants apart (row-level security), and nothing switches it off.',
  }),
};

const RULES: readonly Rule<typeof FIELDS>[] = [
  ({ requireTenantPredicate }) =>
    requireTenantPredicate
      ? undefined
      : 'AUTHZ_REQUIRE_TENANT_PREDICATE cannot be false: the database itself keeps tenants apart. Remove the setting.',
];

export const rbacAbacSettings = defineSettings('rbacAbac', 'Authorization', FIELDS, RULES);

export type RbacAbacSettings = SettingsOf<typeof rbacAbacSettings>;
