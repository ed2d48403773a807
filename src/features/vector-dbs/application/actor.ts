import { currentContext } from '../../../kernel/context.js';
import type { Principal } from '../../../kernel/principal.js';

/** Who acts. @throws Error for the system, which owns no vector database. */
export function actor(): Principal {
  const { principal } = currentContext();
  if (principal === undefined) throw new Error('Nobody acts here.');
  return principal;
}
