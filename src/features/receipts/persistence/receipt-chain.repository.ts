import { Injectable } from '@nestjs/common';
import { UnitOfWork } from '../../../platform/db/index.js';
import type { Chainable, Checked, Link, LinkNow } from '../domain/receipt-chain.js';

const BODY_SHA256 = `encode(sha256(convert_to(r.body_canonical, 'UTF8')), 'hex')`;

/** Where a receipt is, and what is known of its chain. */
export interface Place {
  readonly chained: boolean;
  /** Null without a link. */
  readonly seq: number | null;
  readonly firstBadSeq: number | null;
}

@Injectable()
export class ReceiptChainRepository {
  constructor(private readonly uow: UnitOfWork) {}

  /** Tenants that have receipts outside their chain; one probe for each. */
  async tenantsToChain(): Promise<string[]> {
    return this.uow.acrossTenants('receipts', () => this.#tenants('NOT chained'));
  }

  /** Tenants that have receipts which are not put away. */
  async tenantsWithActive(): Promise<string[]> {
    return this.uow.acrossTenants('receipts', () => this.#tenants(`status = 'active'`));
  }

  /** Tenants with a chain, those first whose chain was looked at longest ago. */
  async tenantsToCheck(limit: number): Promise<string[]> {
    const rows = await this.uow.acrossTenants('receipts', () =>
      this.uow.rows<{ tenantId: string }>(
        'SELECT tenant_id AS "tenantId" FROM receipt_chain_checks ORDER BY checked_at, tenant_id LIMIT $1',
        [limit],
      ),
    );
    return rows.map(({ tenantId }) => tenantId);
  }

  /** Keeps others from chaining until the transaction ends. @returns false when one of them is at it. */
  async lock(): Promise<boolean> {
    const row = await this.uow.first<{ locked: boolean }>(
      `SELECT pg_try_advisory_xact_lock(hashtextextended('nexusrag.receipt-chain ' || $1, 0)) AS locked`,
      [this.uow.tenantId],
    );
    return row?.locked === true;
  }

  /** The newest link. */
  async last(): Promise<Link | undefined> {
    return this.uow.first<Link>(
      `SELECT seq::float8 AS seq, receipt_id AS "receiptId", entry_hash AS "entryHash"
         FROM receipt_chain WHERE tenant_id = $1 ORDER BY seq DESC LIMIT 1`,
      [this.uow.tenantId],
    );
  }

  /** Receipts outside the chain with ids below that one, in the order of their ids. */
  async unchained(below: string, limit: number): Promise<Chainable[]> {
    return this.uow.rows<Chainable>(
      `SELECT r.receipt_id AS "receiptId", ${BODY_SHA256} AS "bodySha256", r.receipt_signature AS signature
         FROM receipts r WHERE r.tenant_id = $1 AND NOT r.chained AND r.receipt_id < $2
        ORDER BY r.receipt_id LIMIT $3`,
      [this.uow.tenantId, below, limit],
    );
  }

  /** Marks receipts that came with their link, as those of a tenant that moved. */
  async adoptLinked(): Promise<void> {
    await this.uow.execute(
      `UPDATE receipts r SET chained = true FROM receipt_chain c
        WHERE r.tenant_id = $1 AND NOT r.chained AND c.tenant_id = r.tenant_id AND c.receipt_id = r.receipt_id`,
      [this.uow.tenantId],
    );
  }

  async append(links: readonly Link[]): Promise<void> {
    await this.uow.execute(
      `WITH link AS (
         INSERT INTO receipt_chain (tenant_id, seq, receipt_id, entry_hash)
         SELECT $1, l.seq, l."receiptId", l."entryHash"
           FROM jsonb_to_recordset($2::jsonb) AS l (seq bigint, "receiptId" text, "entryHash" text)
         RETURNING receipt_id),
       checked AS (INSERT INTO receipt_chain_checks (tenant_id) VALUES ($1) ON CONFLICT (tenant_id) DO NOTHING)
       UPDATE receipts r SET chained = true FROM link WHERE r.tenant_id = $1 AND r.receipt_id = link.receipt_id`,
      [this.uow.tenantId, JSON.stringify(links)],
    );
  }

  /** Undefined for a receipt that is not there. */
  async placeOf(receiptId: string): Promise<Place | undefined> {
    return this.uow.first<Place>(
      `SELECT r.chained, c.seq::float8 AS seq, k.first_bad_seq::float8 AS "firstBadSeq"
         FROM receipts r
         LEFT JOIN receipt_chain c ON c.tenant_id = r.tenant_id AND c.receipt_id = r.receipt_id
         LEFT JOIN receipt_chain_checks k ON k.tenant_id = r.tenant_id
        WHERE r.tenant_id = $1 AND r.receipt_id = $2`,
      [this.uow.tenantId, receiptId],
    );
  }

  /** How far the chain was looked at. */
  async checked(): Promise<Checked> {
    const row = await this.uow.first<Checked>(
      `SELECT checked_to::float8 AS "checkedTo", first_bad_seq::float8 AS "firstBadSeq"
         FROM receipt_chain_checks WHERE tenant_id = $1`,
      [this.uow.tenantId],
    );
    return row ?? { checkedTo: 0, firstBadSeq: null };
  }

  async recordCheck({ checkedTo, firstBadSeq }: Checked, now: Date): Promise<void> {
    await this.uow.execute(
      `UPDATE receipt_chain_checks SET checked_to = $2, first_bad_seq = $3, checked_at = $4 WHERE tenant_id = $1`,
      [this.uow.tenantId, checkedTo, firstBadSeq, now],
    );
  }

  /** The links after a place, up to another one, with what there is now of their receipts. */
  async links(after: number, upTo: number, limit: number): Promise<LinkNow[]> {
    return this.uow.rows<LinkNow>(
      `SELECT c.seq::float8 AS seq, c.receipt_id AS "receiptId", c.entry_hash AS "entryHash",
              ${BODY_SHA256} AS "bodySha256", r.receipt_signature AS signature
         FROM receipt_chain c LEFT JOIN receipts r ON r.tenant_id = c.tenant_id AND r.receipt_id = c.receipt_id
        WHERE c.tenant_id = $1 AND c.seq > $2 AND c.seq <= $3 ORDER BY c.seq LIMIT $4`,
      [this.uow.tenantId, after, upTo, limit],
    );
  }

  /** @param condition of a partial index that begins with the tenant. */
  async #tenants(condition: string): Promise<string[]> {
    const next = (after: string): string =>
      `(SELECT tenant_id FROM receipts WHERE ${condition} ${after} ORDER BY tenant_id LIMIT 1)`;
    const rows = await this.uow.rows<{ tenantId: string }>(
      `WITH RECURSIVE tenants (tenant_id) AS (
         ${next('')}
         UNION ALL
         SELECT ${next('AND tenant_id > tenants.tenant_id')} FROM tenants WHERE tenants.tenant_id IS NOT NULL
       ) SELECT tenant_id AS "tenantId" FROM tenants WHERE tenant_id IS NOT NULL`,
    );
    return rows.map(({ tenantId }) => tenantId);
  }
}
