import { defineErrors } from '../../kernel/errors.js';

export const movesErrors = defineErrors('tenant-moves', {
  'residency.not_configured': {
    status: 409,
    message:
      'This region cannot exchange tenants. Set RESIDENCY_PRIVATE_KEY, and the other region in RESIDENCY_PEER_PUBLIC_KEYS_JSON.',
    retry: 'after-change',
  },
  'residency.export_in_progress': {
    status: 409,
    message: 'An export of this tenant is running. Wait until it has ended.',
    retry: 'later',
  },
  'residency.move_in_progress': {
    status: 409,
    message: 'A move of this kind is open for the tenant. Finish or abort it first.',
    retry: 'later',
  },
  'residency.export_not_ready': {
    status: 409,
    message: 'There is no artifact: the export is running, has failed, or was removed.',
    retry: 'after-change',
  },
  'residency.artifact_out_of_zone': {
    status: 409,
    message: 'The document storage is outside the region of this process, where no copy of a tenant may be made.',
    retry: 'after-change',
  },
  'residency.import_wrong_region': {
    status: 409,
    message: 'The archive was made for another region. Import it there, or export for this region.',
    retry: 'never',
  },
  'residency.import_invalid': {
    status: 422,
    message:
      'The archive is not complete, was changed, or was signed by no region that is known here. Nothing was stored.',
    retry: 'never',
  },
  'residency.import_conflict': {
    status: 409,
    message: 'Rows of the archive exist here and differ. Repeat the import with conflict=skip or conflict=replace.',
    retry: 'after-change',
  },
  'residency.illegal_transition': {
    status: 409,
    message: 'The migration cannot take this step in its state.',
    retry: 'after-change',
  },
  'residency.not_settled': {
    status: 409,
    message: 'Work that began before the tenant was frozen is not finished. See details, and repeat the step later.',
    retry: 'later',
  },
  'residency.verification_required': {
    status: 409,
    message: 'This step needs the signed verification that the import in the target region ended with.',
    retry: 'after-change',
  },
  'residency.checksum_mismatch': {
    status: 409,
    message: 'The target region does not have what this one has. Export and import again; details.tables differ.',
    retry: 'after-change',
  },
  'residency.purge_token_invalid': {
    status: 400,
    message: 'The purge token is unknown or has expired. Make a new preview.',
    retry: 'after-change',
  },
  'residency.purge_count_changed': {
    status: 409,
    message: 'The tenant does not have as many rows as were expected. Make a new preview.',
    retry: 'after-change',
  },
  'residency.purge_not_migrated': {
    status: 409,
    message: 'Only a tenant that is pinned to another region can be purged here.',
    retry: 'after-change',
  },
  'residency.purge_second_operator': {
    status: 403,
    message: 'Somebody else than who made the preview must carry out the purge.',
    retry: 'never',
  },
  LEGAL_HOLD_ACTIVE: {
    status: 409,
    message: 'The tenant is on legal hold: nothing of it may be deleted.',
    retry: 'after-change',
  },
  WRITE_FROZEN: {
    status: 503,
    message: 'Changes are not taken at the moment; reads are served. Repeat the request later.',
    retry: 'later',
    retryAfterSeconds: 30,
  },
});
