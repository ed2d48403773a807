import { Injectable } from '@nestjs/common';
import { commonErrors } from '../../../kernel/common-errors.js';
import { isRole } from '../../../kernel/principal.js';
import { Subjects, type Subject } from '../../auth/index.js';
import type { Asker, PrincipalType } from '../domain/grants.js';
import { Groups, type Group } from './groups.js';

/** Who may ask for something, with the groups they are in. */
export interface Somebody {
  readonly asker: Asker;
  readonly groups: readonly Group[];
}

const NOBODY: Asker = { subjectId: null, role: null, apiKeyId: null, authMethod: null };

/** Whom a grant can name, in the context's tenant, with what is known of them. */
@Injectable()
export class Somebodies {
  constructor(
    private readonly subjects: Subjects,
    private readonly groups: Groups,
  ) {}

  /** @throws NOT_FOUND */
  async find(type: PrincipalType, id: string): Promise<Somebody> {
    const found = await this.#find(type, id);
    if (found === undefined) throw commonErrors.NOT_FOUND({ message: 'No such principal.' });
    return found;
  }

  async #find(type: PrincipalType, id: string): Promise<Somebody | undefined> {
    switch (type) {
      case 'user':
        return this.#ofSubject(await this.subjects.user(id), { authMethod: null, apiKeyId: null });
      case 'api_key':
        return this.#ofSubject(await this.subjects.ofKey(id), { authMethod: 'api_key', apiKeyId: id });
      case 'role':
        return isRole(id) ? { asker: { ...NOBODY, role: id }, groups: [] } : undefined;
      case 'group': {
        const [group] = await this.groups.named(id);
        return group === undefined ? undefined : { asker: NOBODY, groups: [group] };
      }
    }
  }

  async #ofSubject(
    subject: Subject | undefined,
    how: Pick<Asker, 'authMethod' | 'apiKeyId'>,
  ): Promise<Somebody | undefined> {
    if (subject === undefined) return undefined;
    const { userId: subjectId, role } = subject;
    return { asker: { subjectId, role, ...how }, groups: await this.groups.of(subjectId) };
  }
}
