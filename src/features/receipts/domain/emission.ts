export type ReceiptMode = 'always' | 'on_request' | 'never';

/** Whether an answer leaves a receipt, and what decided that. */
export interface Emission {
  readonly emit: boolean;
  readonly reason: 'kill_switch' | 'tenant_always' | 'tenant_never' | 'request_flag' | 'default_on' | 'default_off';
}

/** The first that says something. @param tenant undefined when the tenant leaves it to the installation. */
export function emissionOf(facts: {
  readonly disabled: boolean;
  readonly tenant: ReceiptMode | undefined;
  readonly requested: boolean;
  readonly byDefault: ReceiptMode;
}): Emission {
  if (facts.disabled) return { emit: false, reason: 'kill_switch' };
  if (facts.tenant === 'always') return { emit: true, reason: 'tenant_always' };
  if (facts.tenant === 'never') return { emit: false, reason: 'tenant_never' };
  if (facts.requested) return { emit: true, reason: 'request_flag' };
  const byDefault = (facts.tenant ?? facts.byDefault) === 'always';
  return { emit: byDefault, reason: byDefault ? 'default_on' : 'default_off' };
}
