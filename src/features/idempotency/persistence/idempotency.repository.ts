import { Injectable } from '@nestjs/common';
import { canonicalJson } from '../../../kernel/canonical-json.js';
import { sha256Hex } from '../../../kernel/hash.js';
import type { StoredAnswer } from '../../../kernel/idempotency.js';
import { SecretBox } from '../../../platform/crypto/index.js';
import { UnitOfWork } from '../../../platform/db/index.js';

/** Where a key is unique: for one credential of the tenant, one method and one path. */
export interface Scope {
  readonly actorId: string;
  readonly method: string;
  readonly path: string;
  readonly key: string;
}

/** A record, and who may change it: whoever reserved it last. */
export interface Claim {
  readonly tenantId: string;
  readonly id: string;
  readonly owner: string;
}

/** What stands under a key that could not be reserved. */
export interface Found {
  readonly tenantId: string;
  readonly id: string;
  /** `committed`: the change is made, its answer is not stored. */
  readonly state: 'in_progress' | 'committed' | 'completed';
  /** Whether the stored request is the one that asks. */
  readonly same: boolean;
  /** Whether the lock has ended without a word of its owner. */
  readonly lapsed: boolean;
  readonly status: number | null;
  readonly headers: StoredAnswer['headers'] | null;
  readonly body: Buffer | null;
}

/**
 * The times of records are those of the database: all processes share its clock, and a clock that is set back in one
 * of them changes nothing. Every method is one statement, and but for `commit` commits by itself.
 */
@Injectable()
export class IdempotencyRepository {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly box: SecretBox,
  ) {}

  /**
   * Reserves a key that is free, has expired, or was left locked by a process that did nothing before it died.
   *
   * @returns the claim or what stands there; undefined when another request reserved or freed it at this moment.
   */
  async reserve(
    scope: Scope,
    requestHash: string,
    owner: string,
    terms: { readonly lockMs: number; readonly ttlHours: number },
  ): Promise<Claim | Found | undefined> {
    const id = sha256Hex(canonicalJson(scope));
    return this.uow.read(async () => {
      const { tenantId } = this.uow;
      const { actorId, method, path, key } = scope;
      const found = await this.uow.first<
        Omit<Found, 'state' | 'tenantId' | 'id'> & { state: Found['state'] | 'reserved' }
      >(RESERVE, [
        ...[tenantId, id, actorId, method, path, key],
        ...[requestHash, owner, terms.lockMs, terms.ttlHours],
      ]);
      if (found === undefined) return undefined;
      return found.state === 'reserved' ? { tenantId, id, owner } : { ...found, tenantId, id, state: found.state };
    });
  }

  /** @throws CannotOpen when the body was sealed with another master key. */
  answerOf({ tenantId, id, status, headers, body }: Found): StoredAnswer {
    if (status === null) throw new Error('The record has no answer.');
    return { status, headers: headers ?? {}, body: body === null ? null : this.box.open(place(tenantId, id), body) };
  }

  /** Notes in the current transaction that the change is made. @returns false when the claim was taken over. */
  async commit(claim: Claim, lockMs: number): Promise<boolean> {
    return this.#change(claim, `state = 'committed', ${LOCKED}`, [lockMs]);
  }

  /** @returns false when the claim was taken over. */
  async renew(claim: Claim, lockMs: number): Promise<boolean> {
    return this.uow.read(() => this.#change(claim, LOCKED, [lockMs]));
  }

  /** @returns false when the claim was taken over. */
  async complete(claim: Claim, { status, headers, body }: StoredAnswer): Promise<boolean> {
    return this.uow.read(() =>
      this.#change(claim, `state = 'completed', response_status = $4, response_headers = $5, body_encrypted = $6`, [
        status,
        JSON.stringify(headers),
        body === null ? null : this.box.seal(place(claim.tenantId, claim.id), body),
      ]),
    );
  }

  /** @param inDoubt keeps a record that a change has marked: the answer to its commit may have been lost. */
  async release({ tenantId, id, owner }: Claim, inDoubt: boolean): Promise<void> {
    await this.uow.read(() =>
      this.uow.execute(
        `DELETE FROM idempotency_records
          WHERE tenant_id = $1 AND id = $2 AND owner = $3
            AND (state = 'in_progress' OR state = 'committed' AND NOT $4::boolean)`,
        [tenantId, id, owner, inDoubt],
      ),
    );
  }

  /** Deletes at most `limit` expired records of all tenants, and returns how many. */
  async prune(limit: number): Promise<number> {
    return this.uow.acrossTenants('idempotency', () => this.#prune(limit, null));
  }

  /** Deletes at most `limit` expired records of the context's tenant, and returns how many. */
  async pruneTenant(limit: number): Promise<number> {
    return this.uow.read(() => this.#prune(limit, this.uow.tenantId));
  }

  async #prune(limit: number, tenantId: string | null): Promise<number> {
    return this.uow.execute(
      `DELETE FROM idempotency_records WHERE (tenant_id, id) IN (
         SELECT tenant_id, id FROM idempotency_records
          WHERE expires_at <= now() AND ($2::text IS NULL OR tenant_id = $2)
          ORDER BY expires_at LIMIT $1 FOR UPDATE SKIP LOCKED)`,
      [limit, tenantId],
    );
  }

  async #change({ tenantId, id, owner }: Claim, assignments: string, values: readonly unknown[]): Promise<boolean> {
    const changed = await this.uow.execute(
      `UPDATE idempotency_records SET ${assignments}
        WHERE tenant_id = $1 AND id = $2 AND owner = $3 AND state <> 'completed'`,
      [tenantId, id, owner, ...values],
    );
    return changed === 1;
  }
}

function place(tenantId: string, record: string): { purpose: string; tenantId: string; record: string } {
  return { purpose: 'idempotency', tenantId, record };
}

const LOCKED = `locked_until = now() + $4 * interval '1 millisecond'`;

/** The second half sees what stood there when the statement began, so it may find nothing although the key is taken. */
const RESERVE = `
  WITH reserved AS (
    INSERT INTO idempotency_records AS r
      (tenant_id, id, actor_id, method, path, idem_key, request_hash, state, owner, locked_until, expires_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, 'in_progress', $8,
            now() + $9 * interval '1 millisecond', now() + $10 * interval '1 hour')
    ON CONFLICT ON CONSTRAINT pk_idempotency_records DO UPDATE
      SET request_hash = EXCLUDED.request_hash, state = 'in_progress', owner = EXCLUDED.owner,
          locked_until = EXCLUDED.locked_until, created_at = now(), expires_at = EXCLUDED.expires_at,
          response_status = NULL, response_headers = NULL, body_encrypted = NULL
    WHERE r.expires_at <= now()
       OR (r.state = 'in_progress' AND r.locked_until <= now() AND r.request_hash = EXCLUDED.request_hash)
    RETURNING id)
  SELECT 'reserved' AS state, true AS same, false AS lapsed, NULL::int AS status, NULL::jsonb AS headers,
         NULL::bytea AS body
    FROM reserved
  UNION ALL
  SELECT state, request_hash = $7, locked_until <= now(), response_status, response_headers, body_encrypted
    FROM idempotency_records
   WHERE tenant_id = $1 AND id = $2 AND expires_at > now() AND NOT EXISTS (SELECT FROM reserved)`;
