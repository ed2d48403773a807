import { Injectable } from '@nestjs/common';
import { AuditTrail } from '../../../kernel/audit.js';
import { commonErrors } from '../../../kernel/common-errors.js';
import { tryContext } from '../../../kernel/context.js';
import type { AppError } from '../../../kernel/errors.js';
import { Ids } from '../../../kernel/ids.js';
import type { Role } from '../../../kernel/principal.js';
import { Clock } from '../../../kernel/time.js';
import { UnitOfWork } from '../../../platform/db/index.js';
import { newApiKey } from '../domain/api-key.js';
import { ApiKeysRepository, type ApiKeyRecord } from '../persistence/api-keys.repository.js';
import { KeyEvictions } from './key-evictions.js';

export interface CreateKey {
  readonly role: Role;
  readonly name: string;
  /** An existing user of the tenant takes the role; unset, the key gets a user of its own. */
  readonly userId?: string;
  readonly email?: string;
  readonly expiresInDays?: number;
}

export interface CreatedKey {
  readonly id: string;
  readonly userId: string;
  /** The only time that the secret can be read. */
  readonly token: string;
}

const DAY_MS = 86_400_000;

/** Life of API keys, in the tenant of the context. Every change is audited with it, or does not happen. */
@Injectable()
export class ApiKeys {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly keys: ApiKeysRepository,
    private readonly audit: AuditTrail,
    private readonly evictions: KeyEvictions,
    private readonly clock: Clock,
    private readonly ids: Ids,
  ) {}

  async create(request: CreateKey): Promise<CreatedKey> {
    const key = newApiKey(this.ids);
    const userId = request.userId ?? this.ids.uuid();
    const expiresAt =
      request.expiresInDays === undefined
        ? null
        : new Date(this.clock.now().getTime() + request.expiresInDays * DAY_MS);
    await this.uow.run(async () => {
      const email = request.email === undefined ? {} : { email: request.email };
      await this.keys.upsertUser({ id: userId, role: request.role, ...email });
      await this.keys.insert({ ...key, userId, name: request.name, expiresAt, createdBy: actor() });
      await this.audit.record({
        event: 'auth.api_key.created',
        outcome: 'success',
        resourceType: 'api_key',
        resourceId: key.id,
        metadata: {
          user_id: userId,
          key_prefix: key.prefix,
          key_name: request.name,
          role: request.role,
          expires_in_days: request.expiresInDays ?? null,
        },
      });
    });
    return { id: key.id, userId, token: key.token };
  }

  async list(): Promise<ApiKeyRecord[]> {
    return this.uow.read(() => this.keys.list());
  }

  /** Revokes for good; revoking twice is no error. @throws NOT_FOUND */
  async revoke(id: string, reason = 'revoked by an operator'): Promise<void> {
    await this.uow.run(async () => {
      if ((await this.keys.find(id)) === undefined) throw commonErrors.NOT_FOUND({ message: 'No such API key.' });
      if (await this.keys.revoke(id, this.clock.now(), reason)) await this.#recordRevoked(id, reason);
    });
    await this.evictions.announce(id);
  }

  /**
   * Replaces a key by a new one of the same user and expiry, revoking the old one unless told to keep it.
   *
   * @throws NOT_FOUND, or CONFLICT when the old key is revoked already.
   */
  async rotate(oldId: string, options: { name?: string; keepOld?: boolean } = {}): Promise<CreatedKey> {
    const key = newApiKey(this.ids);
    const userId = await this.uow.run(async () => {
      const old = await this.keys.find(oldId);
      if (old === undefined) throw commonErrors.NOT_FOUND({ message: 'No such API key.' });
      if (old.status === 'revoked') throw revokedAlready();
      const name = options.name ?? old.name;
      await this.keys.insert({
        ...key,
        userId: old.userId,
        name,
        expiresAt: old.expiresAt,
        rotatedFromId: oldId,
        createdBy: actor(),
      });
      const free =
        options.keepOld === true || (await this.keys.revoke(oldId, this.clock.now(), `rotated to ${key.id}`));
      if (!free) throw revokedAlready();
      await this.audit.record({
        event: 'auth.api_key.rotated',
        outcome: 'success',
        resourceType: 'api_key',
        resourceId: oldId,
        metadata: {
          rotated_from: oldId,
          new_key_id: key.id,
          old_key_revoked: options.keepOld !== true,
          name,
          user_id: old.userId,
        },
      });
      return old.userId;
    });
    if (options.keepOld !== true) await this.evictions.announce(oldId);
    return { id: key.id, userId, token: key.token };
  }

  /** The tenant that a key belongs to; undefined when there is no such key. */
  async tenantOf(id: string): Promise<string | undefined> {
    return this.keys.tenantOf(id);
  }

  async #recordRevoked(id: string, reason: string): Promise<void> {
    await this.audit.record({
      event: 'auth.api_key.revoked',
      outcome: 'success',
      resourceType: 'api_key',
      resourceId: id,
      metadata: { target_key_id: id, reason },
    });
  }
}

function revokedAlready(): AppError {
  return commonErrors.CONFLICT({ message: 'A revoked key cannot be rotated.' });
}

function actor(): string {
  return tryContext()?.principal?.apiKeyId ?? 'system';
}
