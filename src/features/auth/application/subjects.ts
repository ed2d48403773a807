import { Injectable } from '@nestjs/common';
import { isRole, type Role } from '../../../kernel/principal.js';
import { UnitOfWork } from '../../../platform/db/index.js';
import { ApiKeysRepository } from '../persistence/api-keys.repository.js';

/** A user of the tenant, as whom requests act. */
export interface Subject {
  readonly userId: string;
  /** Null for a role that there is not any more, with which nobody is let in. */
  readonly role: Role | null;
}

/** Who there is in the context's tenant, whether or not they are let in now. */
@Injectable()
export class Subjects {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly keys: ApiKeysRepository,
  ) {}

  async user(id: string): Promise<Subject | undefined> {
    return this.#subject(() => this.keys.user(id));
  }

  async ofKey(keyId: string): Promise<Subject | undefined> {
    return this.#subject(() => this.keys.userOfKey(keyId));
  }

  async #subject(find: () => Promise<{ id: string; role: string } | undefined>): Promise<Subject | undefined> {
    const user = await this.uow.read(find);
    return user === undefined ? undefined : { userId: user.id, role: isRole(user.role) ? user.role : null };
  }
}
