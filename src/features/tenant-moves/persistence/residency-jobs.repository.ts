import { Injectable } from '@nestjs/common';
import { currentContext } from '../../../kernel/context.js';
import { constraints, UnitOfWork } from '../../../platform/db/index.js';
import type { Move, MoveKind, NewMove, Part } from '../domain/move.js';
import { movesErrors } from '../tenant-moves.errors.js';

const COLUMNS = `id, kind, moved_tenant_id AS "tenantId", state, region, parameters, manifest, counts, watermark,
  error_code AS "errorCode", actor, approver, created_at AS "createdAt", updated_at AS "updatedAt",
  finished_at AS "finishedAt"`;

/** Parts written in one statement. */
const BATCH = 1000;

/** Moves that operators of the context's tenant asked for. */
@Injectable()
export class ResidencyJobsRepository {
  constructor(private readonly uow: UnitOfWork) {}

  /** Also in a unit of work that sees the moved tenant as well. */
  get #owner(): string {
    return currentContext().tenantId ?? this.uow.tenantId;
  }

  /** @throws residency.move_in_progress, or residency.export_in_progress, while one of the kind is open. */
  async insert(move: NewMove, now: Date): Promise<void> {
    const busy =
      move.kind === 'export' ? movesErrors['residency.export_in_progress'] : movesErrors['residency.move_in_progress'];
    await constraints({ ix_residency_jobs_open: busy }, () =>
      this.uow.execute(
        `INSERT INTO residency_jobs (tenant_id, id, kind, moved_tenant_id, state, region, parameters, manifest, counts,
           watermark, actor, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7::jsonb, $8::jsonb, $9::jsonb, $10, $11, $12, $12)`,
        [
          this.#owner,
          move.id,
          move.kind,
          move.tenantId,
          move.state,
          move.region,
          JSON.stringify(move.parameters),
          move.manifest == null ? null : JSON.stringify(move.manifest),
          JSON.stringify(move.counts ?? {}),
          move.watermark ?? null,
          move.actor,
          now,
        ],
      ),
    );
  }

  async find(id: string, kind: MoveKind): Promise<Move | undefined> {
    return this.uow.first<Move>(
      `SELECT ${COLUMNS} FROM residency_jobs WHERE tenant_id = $1 AND id = $2 AND kind = $3`,
      [this.#owner, id, kind],
    );
  }

  async lock(id: string, kind: MoveKind): Promise<Move | undefined> {
    return this.uow.first<Move>(
      `SELECT ${COLUMNS} FROM residency_jobs WHERE tenant_id = $1 AND id = $2 AND kind = $3 FOR UPDATE`,
      [this.#owner, id, kind],
    );
  }

  /** The open one of the kind, or the one that ended last. */
  async latest(tenantId: string, kind: MoveKind): Promise<Move | undefined> {
    return this.uow.first<Move>(
      `SELECT ${COLUMNS} FROM residency_jobs WHERE tenant_id = $1 AND moved_tenant_id = $2 AND kind = $3
        ORDER BY created_at DESC, id DESC LIMIT 1`,
      [this.#owner, tenantId, kind],
    );
  }

  async previewOf(tokenSha256: string): Promise<Move | undefined> {
    return this.uow.first<Move>(
      `SELECT ${COLUMNS} FROM residency_jobs
        WHERE tenant_id = $1 AND kind = 'purge' AND state = 'previewed' AND parameters ->> 'token_sha256' = $2`,
      [this.#owner, tokenSha256],
    );
  }

  async all(tenantId: string): Promise<Move[]> {
    return this.uow.rows<Move>(
      `SELECT ${COLUMNS} FROM residency_jobs WHERE tenant_id = $1 AND moved_tenant_id = $2 ORDER BY created_at, id`,
      [this.#owner, tenantId],
    );
  }

  /** Changes what is given. */
  async update(
    id: string,
    now: Date,
    change: Partial<
      Pick<Move, 'state' | 'parameters' | 'manifest' | 'counts' | 'watermark' | 'errorCode' | 'approver'>
    > & {
      readonly ended?: boolean;
    },
  ): Promise<void> {
    const json = (value: unknown): string | null => (value == null ? null : JSON.stringify(value));
    await this.uow.execute(
      `UPDATE residency_jobs SET state = COALESCE($3, state), parameters = COALESCE($4::jsonb, parameters),
              manifest = COALESCE($5::jsonb, manifest), counts = COALESCE($6::jsonb, counts),
              watermark = COALESCE($7, watermark), error_code = COALESCE($8, error_code),
              approver = COALESCE($9, approver), updated_at = $10, finished_at = CASE WHEN $11 THEN $10 ELSE finished_at END
        WHERE tenant_id = $1 AND id = $2`,
      [
        this.#owner,
        id,
        change.state ?? null,
        json(change.parameters),
        json(change.manifest),
        json(change.counts),
        change.watermark ?? null,
        change.errorCode ?? null,
        change.approver ?? null,
        now,
        change.ended ?? false,
      ],
    );
  }

  /** Previews that nobody acted on; across tenants. */
  async deleteExpiredPreviews(now: Date): Promise<void> {
    await this.uow.execute(
      `DELETE FROM residency_jobs
        WHERE kind = 'purge' AND state = 'previewed' AND (parameters ->> 'expires_at')::timestamptz <= $1`,
      [now],
    );
  }

  async delete(id: string): Promise<void> {
    await this.uow.execute(`DELETE FROM residency_jobs WHERE tenant_id = $1 AND id = $2`, [this.#owner, id]);
  }

  async addParts(jobId: string, parts: readonly Part[]): Promise<void> {
    for (let from = 0; from < parts.length; from += BATCH) {
      await this.uow.execute(
        `INSERT INTO residency_parts
           (tenant_id, job_id, number, table_name, after_key, through_key, row_count, sha256, included)
         SELECT $1, $2, p.number, p."table", p.after, p.through, p.rows, p.sha256, p.included
           FROM jsonb_to_recordset($3::jsonb)
             AS p (number int, "table" text, after jsonb, through jsonb, rows int, sha256 text, included boolean)`,
        [this.#owner, jobId, JSON.stringify(parts.slice(from, from + BATCH))],
      );
    }
  }

  /** In their order. */
  async parts(jobId: string): Promise<Part[]> {
    return this.uow.rows<Part>(
      `SELECT number, table_name AS "table", NULLIF(after_key, 'null') AS after, NULLIF(through_key, 'null') AS through,
              row_count AS rows, sha256, included
         FROM residency_parts WHERE tenant_id = $1 AND job_id = $2 ORDER BY number`,
      [this.#owner, jobId],
    );
  }

  async deleteParts(jobId: string): Promise<void> {
    await this.uow.execute(`DELETE FROM residency_parts WHERE tenant_id = $1 AND job_id = $2`, [this.#owner, jobId]);
  }

  /** Exports and imports that ended before the time and may still have their archive; across tenants. */
  async withArchive(
    endedBefore: Date,
    limit: number,
  ): Promise<{ ownerTenantId: string; id: string; tenantId: string }[]> {
    return this.uow.rows(
      `SELECT tenant_id AS "ownerTenantId", id, moved_tenant_id AS "tenantId" FROM residency_jobs j
        WHERE finished_at < $1 AND EXISTS (
          SELECT FROM residency_parts p WHERE p.tenant_id = j.tenant_id AND p.job_id = j.id)
        ORDER BY finished_at LIMIT $2`,
      [endedBefore, limit],
    );
  }
}
