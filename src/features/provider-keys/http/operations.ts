const BYOK = { feature: 'feature.byok', cost: 1 } as const;

/** Declared by every read of this feature, beside its own errors. */
export const READ = { ...BYOK, role: 'editor', rateClass: 'read' } as const;
/** Declared by every change. */
export const CHANGE = { ...BYOK, role: 'admin', rateClass: 'mutation' } as const;

/** Of the routes that can be switched off, and of the keys and providers that their paths name. */
export const OFF = 'FEATURE_TEMPORARILY_DISABLED';
export const NAMED = [OFF, 'NOT_FOUND'] as const;

export const UNATTESTED = [
  'ATTESTATION_REQUIRED',
  'ATTESTATION_ENCODING_INVALID',
  'ATTESTATION_SIGNATURE_INVALID',
] as const;
