import { currentContext } from '../../../kernel/context.js';
import type { Principal } from '../../../kernel/principal.js';

/** Who wants to know. */
export function replayer(): Principal {
  const { principal } = currentContext();
  if (principal === undefined) throw new Error('A replay needs a principal.');
  return principal;
}
