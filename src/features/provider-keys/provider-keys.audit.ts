import { defineAuditEvents } from '../../kernel/audit.js';

const delivery = 'transactional';
const metadata = ['provider_id', 'key_id', 'version', 'actor_ref'] as const;

export const providerKeysAudit = defineAuditEvents({
  'provider.registered': { description: 'A provider of keys was made.', metadata: ['provider_id'], delivery },
  'provider.updated': {
    description: 'It was decided who signs the attestations of a provider.',
    metadata: ['provider_id', 'signers', 'previous_signers', 'activated_keys'],
    delivery,
  },
  'provider_tier.updated': {
    description: 'It was decided which provider a tier has, and whether it needs a key.',
    metadata: ['tier', 'provider_id', 'byok_required'],
    delivery,
  },
  'provider_tier.deleted': { description: 'A tier no longer has a provider.', metadata: ['tier'], delivery },
  'provider_key.registered': { description: 'A key was registered.', metadata, delivery },
  'provider_key.activation_approved': {
    description: 'A key that waited for somebody who signs its attestation is active.',
    metadata,
    delivery,
  },
  'provider_key.rotation_requested': { description: 'The rotation of a key was asked for.', metadata, delivery },
  'provider_key.rotation_approved': { description: 'The rotation of a key was approved.', metadata, delivery },
  'provider_key.rotation_failed': { description: 'The rotation of a key was rejected.', metadata, delivery },
  'provider_key.rotation_sla_warning': { description: 'A key has to be rotated soon.', metadata, delivery },
  'provider_key.rotation_sla_breached': { description: 'A key was not rotated in time.', metadata, delivery },
  'provider_key.revocation_initiated': { description: 'A key is revoked.', metadata, delivery },
  'provider_key.revocation_completed': {
    description: 'A key was revoked, with what that entails.',
    metadata,
    delivery,
  },
  'provider_key.binding_attached': {
    description: 'A key was bound to a target.',
    metadata: [...metadata, 'binding_id', 'binding_type'],
    delivery,
  },
  'provider_key.binding_revoked': {
    description: 'A binding of a key was revoked.',
    metadata: [...metadata, 'binding_id', 'binding_type'],
    delivery,
  },
  'provider_key.runtime_veto': {
    description: 'A workload was stopped for the state of its key; at most once a minute.',
    metadata: [...metadata, 'binding_id', 'notes'],
    delivery,
  },
});
