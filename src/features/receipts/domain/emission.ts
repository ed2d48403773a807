export type ReceiptMode = 'always' | 'on_request' | 'never';

/** Whether an answer leaves a receipt: the first that says something decides. @param tenant undefined when the tenant leaves it to the installation. */
export function isEmitted(facts: {
  readonly disabled: boolean;
  readonly tenant: ReceiptMode | undefined;
  readonly requested: boolean;
  readonly byDefault: ReceiptMode;
}): boolean {
  if (facts.disabled) return false;
  if (facts.tenant === 'always') return true;
  if (facts.tenant === 'never') return false;
  return facts.requested || (facts.tenant ?? facts.byDefault) === 'always';
}
