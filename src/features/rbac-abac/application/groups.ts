import type { Soon } from '../../../kernel/soon.js';

/** A group of the tenant's directory. */
export interface Group {
  readonly id: string;
  readonly name: string;
}

/** Port: which groups somebody belongs to, and which groups there are. In the context's tenant. */
export abstract class Groups {
  abstract of(subjectId: string): Soon<readonly Group[]>;
  /** Groups with this id or this display name. */
  abstract named(idOrName: string): Promise<readonly Group[]>;
}

/** Until the tenant's directory is connected, nobody is in a group. */
export const NO_GROUPS: Groups = { of: () => [], named: () => Promise.resolve([]) };
