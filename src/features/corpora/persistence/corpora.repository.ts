import { Injectable } from '@nestjs/common';
import { commonErrors } from '../../../kernel/common-errors.js';
import { decodeCursor, Page } from '../../../kernel/cursor.js';
import { constraints, UnitOfWork } from '../../../platform/db/index.js';
import type { Corpus } from '../domain/corpus.js';

const TAKEN = {
  pk_corpora: (): Error => commonErrors.CONFLICT({ message: 'A corpus with this id exists.' }),
  uq_corpora_name: (): Error => commonErrors.CONFLICT({ message: 'A corpus with this name exists.' }),
};

@Injectable()
export class CorporaRepository {
  constructor(private readonly uow: UnitOfWork) {}

  /** Oldest first. @throws INVALID_CURSOR */
  async list(limit: number, cursor?: string): Promise<Page<Corpus>> {
    const [time, id] = cursor === undefined ? [] : decodeCursor(cursor, ['timestamp', 'text']);
    const rows = await this.uow.rows<Corpus & { position: string }>(
      `SELECT ${COLUMNS}, created_at::text AS position FROM corpora
        WHERE tenant_id = $1 AND ($2::timestamptz IS NULL OR (created_at, id) > ($2::timestamptz, $3::text))
        ORDER BY created_at, id LIMIT $4`,
      [this.uow.tenantId, time ?? null, id ?? null, limit + 1],
    );
    return Page.of(rows, limit, (row) => [row.position, row.id]);
  }

  async find(id: string): Promise<Corpus | undefined> {
    return this.uow.first<Corpus>(`SELECT ${COLUMNS} FROM corpora WHERE tenant_id = $1 AND id = $2`, [
      this.uow.tenantId,
      id,
    ]);
  }

  async hold(id: string): Promise<boolean> {
    const sql = `SELECT 1 FROM corpora WHERE tenant_id = $1 AND id = $2 FOR KEY SHARE`;
    return (await this.uow.first(sql, [this.uow.tenantId, id])) !== undefined;
  }

  /** @throws CONFLICT when the id or the name is taken. */
  async insert(corpus: { id: string; name: string; providerConfig: Record<string, unknown> }): Promise<void> {
    await constraints(TAKEN, () =>
      this.uow.execute(`INSERT INTO corpora (tenant_id, id, name, provider_config_json) VALUES ($1, $2, $3, $4)`, [
        this.uow.tenantId,
        corpus.id,
        corpus.name,
        corpus.providerConfig,
      ]),
    );
  }

  /**
   * Changes the given fields if the row still has `version`.
   *
   * @returns false when it has not. @throws CONFLICT when the name is taken.
   */
  async update(
    id: string,
    version: number,
    changes: Partial<Pick<Corpus, 'name' | 'providerConfig'>>,
  ): Promise<boolean> {
    const changed = await constraints(TAKEN, () =>
      this.uow.execute(
        `UPDATE corpora SET name = COALESCE($4, name), provider_config_json = COALESCE($5::jsonb, provider_config_json),
                version = version + 1, updated_at = now()
          WHERE tenant_id = $1 AND id = $2 AND version = $3`,
        [
          this.uow.tenantId,
          id,
          version,
          changes.name ?? null,
          changes.providerConfig === undefined ? null : JSON.stringify(changes.providerConfig),
        ],
      ),
    );
    return changed === 1;
  }

  /** @throws CONFLICT while documents remain. */
  async delete(id: string): Promise<void> {
    await constraints({ fk_documents_corpus: inUse }, () =>
      this.uow.execute(`DELETE FROM corpora WHERE tenant_id = $1 AND id = $2`, [this.uow.tenantId, id]),
    );
  }
}

const COLUMNS = `tenant_id AS "tenantId", id, name, provider_config_json AS "providerConfig", version,
  created_at AS "createdAt", updated_at AS "updatedAt"`;

function inUse(): Error {
  return commonErrors.CONFLICT({
    message: 'The corpus still has documents. Delete them first, or repeat with ?cascade=true.',
  });
}
