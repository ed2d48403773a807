import { defineErrors } from '../../kernel/errors.js';

export const providerKeysErrors = defineErrors('provider-keys', {
  ATTESTATION_REQUIRED: {
    status: 400,
    message: 'attestation_digest and attestation_signature are required.',
    retry: 'after-change',
  },
  ATTESTATION_ENCODING_INVALID: {
    status: 400,
    message: 'attestation_digest must be the base64 of 32 bytes, attestation_signature that of at most 64 KiB.',
    retry: 'after-change',
  },
  ATTESTATION_SIGNATURE_INVALID: {
    status: 400,
    message: 'The attestation is not signed by a key of the provider. Sign the 32 bytes of the digest.',
    retry: 'after-change',
  },
  ROTATION_DUE_INVALID: {
    status: 400,
    message: 'rotation_due_at must be an instant with an offset, such as 2026-01-31T09:00:00Z.',
    retry: 'after-change',
  },
  REQUEST_ACTOR_REQUIRED: { status: 400, message: 'request_actor_ref must name who asks.', retry: 'after-change' },
  BINDING_TYPE_REQUIRED: { status: 400, message: 'binding_type must not be blank.', retry: 'after-change' },
  FOUR_EYES_REQUIRED: {
    status: 403,
    message: 'Whoever asked for the rotation cannot approve it. Have another admin do so.',
    retry: 'after-change',
  },
  PROVIDER_KEY_NOT_ACTIVE: {
    status: 409,
    message: 'The key is not registered completely, and cannot be rotated.',
    retry: 'after-change',
  },
  PROVIDER_KEY_RETIRED: { status: 409, message: 'The key is retired. Register another one.', retry: 'never' },
  PROVIDER_KEY_COMPROMISED: { status: 409, message: 'The key is compromised. Register another one.', retry: 'never' },
  PROVIDER_KEY_NOT_USABLE: { status: 409, message: 'Provider key is not active.', retry: 'after-change' },
  PROVIDER_KEY_ALREADY_REVOKED: { status: 409, message: 'The key is revoked already.', retry: 'never' },
  PROVIDER_KEY_VERSION_CONFLICT: {
    status: 409,
    message: 'The key has changed. Read it again and repeat the change with its version.',
    retry: 'after-change',
  },
  ROTATION_ALREADY_PENDING: {
    status: 409,
    message: 'A rotation of the key waits for approval. Approve or reject it first.',
    retry: 'after-change',
  },
  ROTATION_NOT_PENDING: { status: 409, message: 'The rotation has been decided already.', retry: 'never' },
  BINDING_ALREADY_EXISTS: { status: 409, message: 'The key is bound to this target already.', retry: 'never' },
  BINDING_ALREADY_REVOKED: { status: 409, message: 'The binding is revoked already.', retry: 'never' },
});
