import { Injectable } from '@nestjs/common';
import { AuditTrail } from '../../../kernel/audit.js';
import { commonErrors } from '../../../kernel/common-errors.js';
import { Page } from '../../../kernel/cursor.js';
import { Ids } from '../../../kernel/ids.js';
import { UnitOfWork } from '../../../platform/db/index.js';
import { signersOf, type Signers } from '../domain/attestation.js';
import type { ProviderPosture } from '../domain/posture.js';
import type { ProviderKey } from '../domain/provider-key.js';
import { ProviderKeysRepository } from '../persistence/provider-keys.repository.js';
import { ProvidersRepository, type Provider } from '../persistence/providers.repository.js';
import { KeyPostures } from './key-postures.js';

export type ProviderWithPosture = Provider & { readonly posture: ProviderPosture<ProviderKey> };

/** Those that the keys of a tenant come from. */
@Injectable()
export class Providers {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly providers: ProvidersRepository,
    private readonly keys: ProviderKeysRepository,
    private readonly postures: KeyPostures,
    private readonly audit: AuditTrail,
    private readonly ids: Ids,
  ) {}

  /** Newest first. @throws INVALID_CURSOR */
  async list(limit: number, cursor?: string): Promise<Page<ProviderWithPosture>> {
    return this.uow.read(async () => {
      const page = await this.providers.list(limit, cursor);
      const keys = await this.keys.newestOfEachState(page.items.map(({ id }) => id));
      return page.map((provider) => this.#withPosture(provider, keys));
    });
  }

  /** @throws NOT_FOUND */
  async get(id: string): Promise<ProviderWithPosture> {
    return this.uow.read(async () => {
      const provider = await this.providers.find(id);
      if (provider === undefined) throw noSuchProvider();
      return this.#withPosture(provider, await this.keys.newestOfEachState([id]));
    });
  }

  /** @throws VALIDATION_ERROR for signers that are none; CONFLICT when the name is taken. */
  async create(name: string, jwks: unknown): Promise<ProviderWithPosture> {
    const signers = jwks == null ? null : requireSigners(jwks);
    const id = this.ids.opaque();
    return this.uow.run(async () => this.#withPosture(await this.ensure(id, name, signers), []));
  }

  /**
   * The provider with this id, which is made when there is none, in the unit of work that is open. Nobody else changes
   * its keys until that ends.
   *
   * @throws CONFLICT when it would be made and the name is taken.
   */
  async ensure(id: string, name = id, signers: Signers | null = null): Promise<Provider> {
    if (await this.providers.insert({ id, name, signers })) {
      await this.audit.record({
        event: 'provider.registered',
        outcome: 'success',
        resourceType: 'provider',
        resourceId: id,
        metadata: { provider_id: id },
      });
    }
    return (await this.providers.lock(id)) as Provider;
  }

  /** The id of the tenant, whose provider it is. @throws NOT_FOUND */
  async requireTenant(id: string): Promise<string> {
    return this.uow.read(async () => {
      if ((await this.providers.find(id)) === undefined) throw noSuchProvider();
      return this.uow.tenantId;
    });
  }

  #withPosture(provider: Provider, newestFirst: readonly ProviderKey[]): ProviderWithPosture {
    const keys = newestFirst.filter(({ providerId }) => providerId === provider.id);
    return { ...provider, posture: this.postures.ofProvider(keys) };
  }
}

export function noSuchProvider(): Error {
  return commonErrors.NOT_FOUND({ message: 'No such provider.' });
}

/** @throws VALIDATION_ERROR */
export function requireSigners(jwks: unknown): Signers {
  const signers = signersOf(jwks);
  if (signers !== undefined) return signers;
  throw commonErrors.VALIDATION_ERROR({
    message: 'attestation_jwks must be a JWK set of 1 to 10 public keys, each Ed25519 or P-256.',
  });
}
