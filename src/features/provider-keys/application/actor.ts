import { currentContext } from '../../../kernel/context.js';

/** Subject that acts. */
export function actor(): string {
  return currentContext().principal?.subjectId ?? 'system';
}
