import { Injectable } from '@nestjs/common';
import { commonErrors } from '../../../kernel/common-errors.js';
import { decodeCursor, Page } from '../../../kernel/cursor.js';
import { constraints, UnitOfWork } from '../../../platform/db/index.js';
import type { Signers } from '../domain/attestation.js';

export interface Provider {
  readonly id: string;
  readonly name: string;
  readonly signers: Signers | null;
  readonly createdAt: Date;
}

const TAKEN = {
  uq_providers_name: (): Error => commonErrors.CONFLICT({ message: 'A provider with this name exists.' }),
};

@Injectable()
export class ProvidersRepository {
  constructor(private readonly uow: UnitOfWork) {}

  /** Newest first. @throws INVALID_CURSOR */
  async list(limit: number, cursor?: string): Promise<Page<Provider>> {
    const [time, id] = cursor === undefined ? [] : decodeCursor(cursor, ['timestamp', 'uuid']);
    const rows = await this.uow.rows<Provider & { position: string }>(
      `SELECT ${COLUMNS}, created_at::text AS position FROM providers
        WHERE tenant_id = $1 AND ($2::timestamptz IS NULL OR (created_at, id) < ($2::timestamptz, $3::uuid))
        ORDER BY created_at DESC, id DESC LIMIT $4`,
      [this.uow.tenantId, time ?? null, id ?? null, limit + 1],
    );
    return Page.of(rows, limit, (row) => [row.position, row.id]);
  }

  /** @returns false when there is one with this id. @throws CONFLICT when the name is taken. */
  async insert(provider: Pick<Provider, 'id' | 'name' | 'signers'>): Promise<boolean> {
    const { id, name, signers } = provider;
    const inserted = await constraints(TAKEN, () =>
      this.uow.execute(
        `INSERT INTO providers (tenant_id, id, name, attestation_jwks) VALUES ($1, $2, $3, $4)
         ON CONFLICT ON CONSTRAINT pk_providers DO NOTHING`,
        [this.uow.tenantId, id, name, signers],
      ),
    );
    return inserted === 1;
  }

  async setSigners(id: string, signers: Signers): Promise<void> {
    await this.uow.execute(`UPDATE providers SET attestation_jwks = $3 WHERE tenant_id = $1 AND id = $2`, [
      this.uow.tenantId,
      id,
      signers,
    ]);
  }

  async find(id: string): Promise<Provider | undefined> {
    return this.#find(id, '');
  }

  /** Nobody else changes the provider's keys, or adds to their ledger, until the transaction ends. */
  async lock(id: string): Promise<Provider | undefined> {
    return this.#find(id, 'FOR NO KEY UPDATE');
  }

  async #find(id: string, lock: string): Promise<Provider | undefined> {
    return this.uow.first<Provider>(`SELECT ${COLUMNS} FROM providers WHERE tenant_id = $1 AND id = $2 ${lock}`, [
      this.uow.tenantId,
      id,
    ]);
  }
}

const COLUMNS = 'id, name, attestation_jwks AS signers, created_at AS "createdAt"';
