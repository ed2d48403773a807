import { Injectable } from '@nestjs/common';
import { commonErrors } from '../../../kernel/common-errors.js';
import type { AppError } from '../../../kernel/errors.js';
import type { Page } from '../../../kernel/cursor.js';
import { UnitOfWork } from '../../../platform/db/index.js';
import type { KeyRotation, ProviderKey } from '../domain/provider-key.js';
import { BindingsRepository } from '../persistence/bindings.repository.js';
import { ProviderKeysRepository } from '../persistence/provider-keys.repository.js';

/** Rotations that are shown with their key. */
const SHOWN_ROTATIONS = 50;

export interface KeyDetails extends ProviderKey {
  readonly rotations: readonly KeyRotation[];
  readonly bindings: { readonly active: number; readonly revoked: number };
}

/** Reads the keys of the context's tenant. */
@Injectable()
export class ProviderKeys {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly keys: ProviderKeysRepository,
    private readonly bindings: BindingsRepository,
  ) {}

  /** Newest first; none for a provider that there is not. @throws INVALID_CURSOR */
  async list(providerId: string, limit: number, cursor?: string): Promise<Page<ProviderKey>> {
    return this.uow.read(() => this.keys.list(providerId, limit, cursor));
  }

  /** With its newest rotations. @throws NOT_FOUND */
  async get(providerId: string, id: string): Promise<KeyDetails> {
    return this.uow.read(async () => {
      const key = await this.keys.find(providerId, id);
      if (key === undefined) throw noSuchKey();
      const rotations = await this.keys.rotations(id, SHOWN_ROTATIONS);
      return { ...key, rotations, bindings: await this.bindings.counts(id) };
    });
  }
}

export function noSuchKey(): AppError {
  return commonErrors.NOT_FOUND({ message: 'No such key.' });
}
