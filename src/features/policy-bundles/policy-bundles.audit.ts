import { defineAuditEvents } from '../../kernel/audit.js';

const BUNDLE = ['bundle_hash', 'scope', 'rule_count'];

export const policyBundlesAudit = defineAuditEvents({
  'policy_bundle.uploaded': {
    description: 'A policy bundle was stored. The scope `global` is of all tenants that have none active.',
    metadata: BUNDLE,
    delivery: 'transactional',
  },
  'policy_bundle.activated': {
    description: 'A policy bundle became the one that is in force in its scope.',
    metadata: BUNDLE,
    delivery: 'transactional',
  },
});
