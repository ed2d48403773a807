import { Injectable } from '@nestjs/common';
import { SqlParameters, UnitOfWork } from '../../../platform/db/index.js';
import type { Mode } from '../domain/receipt-body.js';
import type { Signed } from '../domain/signature.js';

/** A receipt as its columns say. All but the last three never change. */
export interface ReceiptRow {
  readonly tenant_id: string;
  readonly receipt_id: string;
  readonly parent_receipt_id: string | null;
  readonly mode: Mode;
  readonly subject_id: string;
  readonly query_id: string | null;
  readonly task_id: string | null;
  readonly corpus_id: string;
  readonly caller_id: string;
  readonly context_hash: string;
  readonly context_size_bytes: number;
  readonly policy_bundle_hash: string | null;
  readonly region: string | null;
  readonly receipt_signature: string | null;
  readonly receipt_signature_key_id: string | null;
  readonly receipt_signature_algorithm: string | null;
  readonly body_canonical: string;
  readonly policy_snapshot: Readonly<Record<string, unknown>> | null;
  readonly as_of: string;
  readonly created_at: string;
}

export interface StoredReceipt extends Omit<ReceiptRow, 'as_of' | 'created_at'> {
  readonly as_of: Date;
  readonly created_at: Date;
  readonly status: 'active' | 'tombstoned';
  readonly tombstoned_at: Date | null;
}

/** What the receipt of a retrieval keeps beside its body. */
export interface NewReceipt {
  readonly row: ReceiptRow;
  readonly chunks: readonly { rank: number; document_id: string | null; chunk_id: string | null }[];
  /** The question, to be read again by a replay only, with whose it was. */
  readonly query: { readonly ownerId: string; readonly sessionId: string; readonly sealed: Buffer } | undefined;
}

export interface ReceiptFilter {
  readonly sessionId?: string | undefined;
  readonly corpusId?: string | undefined;
  readonly documentId?: string | undefined;
  readonly callerId?: string | undefined;
  /** Instants in ISO 8601, ends included. */
  readonly since?: string | undefined;
  readonly until?: string | undefined;
  readonly includeTombstoned: boolean;
}

export interface ReceiptPage {
  readonly receipts: readonly StoredReceipt[];
  readonly more: boolean;
}

const WRITTEN = [
  'tenant_id',
  'receipt_id',
  'parent_receipt_id',
  'mode',
  'subject_id',
  'query_id',
  'task_id',
  'corpus_id',
  'caller_id',
  'context_hash',
  'context_size_bytes',
  'policy_bundle_hash',
  'region',
  'receipt_signature',
  'receipt_signature_key_id',
  'receipt_signature_algorithm',
  'body_canonical',
  'policy_snapshot',
  'as_of',
  'created_at',
] as const satisfies readonly (keyof ReceiptRow)[];

const READ = [...WRITTEN, 'status', 'tombstoned_at'].map((column) => `r.${column}`).join(', ');

/** Of the bodies on one page. */
const MOST_PAGE_BYTES = 4 * 1024 * 1024;

@Injectable()
export class ReceiptsRepository {
  constructor(private readonly uow: UnitOfWork) {}

  /** One statement, so that nobody needs a transaction. A receipt that is there already stays as it is. */
  async insert({ row, chunks, query }: NewReceipt): Promise<void> {
    const parameters = new SqlParameters();
    const [tenant, id] = [parameters.add(row.tenant_id), parameters.add(row.receipt_id)];
    const values = WRITTEN.map((column) => {
      if (column === 'tenant_id') return tenant;
      return column === 'receipt_id' ? id : parameters.add(row[column]);
    });
    const sealed =
      query &&
      `, query AS (
         INSERT INTO receipt_queries (tenant_id, receipt_id, owner_id, session_id, sealed)
         SELECT tenant_id, receipt_id, ${parameters.add(query.ownerId)}, ${parameters.add(query.sessionId)},
                ${parameters.add(query.sealed)} FROM receipt)`;
    await this.uow.execute(
      `WITH receipt AS (
         INSERT INTO receipts (${WRITTEN.join(', ')}) VALUES (${values.join(', ')})
         ON CONFLICT ON CONSTRAINT pk_receipts DO NOTHING RETURNING tenant_id, receipt_id)${sealed ?? ''}
       INSERT INTO receipt_chunks (tenant_id, receipt_id, rank, document_id, chunk_id)
       SELECT receipt.tenant_id, receipt.receipt_id, c.rank, c.document_id, c.chunk_id
         FROM receipt CROSS JOIN jsonb_to_recordset(${parameters.add(JSON.stringify(chunks))}::jsonb)
                AS c (rank int, document_id text, chunk_id text)`,
      parameters.values,
    );
  }

  /** In the transaction of the answer. The first outcome of a receipt stays. */
  async insertOutcome(receiptId: string, { canonical, signature, keyId, algorithm }: Signed): Promise<void> {
    await this.uow.execute(
      `INSERT INTO receipt_outcomes
         (tenant_id, receipt_id, status, error_code, answer_sha256, answer_bytes, message_id, input_units, output_units,
          finished_at, receipt_signature, receipt_signature_key_id, receipt_signature_algorithm, body_canonical)
       SELECT $1, $2, o.status, o.error_code, o.answer_sha256, o.answer_bytes, o.message_id, o.input_units,
              o.output_units, o.finished_at, $4, $5, $6, $3::text
         FROM jsonb_populate_record(NULL::receipt_outcomes, ($3::text)::jsonb) o
       ON CONFLICT ON CONSTRAINT pk_receipt_outcomes DO NOTHING`,
      [this.uow.tenantId, receiptId, canonical, signature, keyId, algorithm],
    );
  }

  async exists(receiptId: string): Promise<boolean> {
    const sql = 'SELECT 1 AS found FROM receipts WHERE tenant_id = $1 AND receipt_id = $2';
    return (await this.uow.first(sql, [this.uow.tenantId, receiptId])) !== undefined;
  }

  async find(receiptId: string): Promise<StoredReceipt | undefined> {
    return this.uow.first<StoredReceipt>(
      `SELECT ${READ} FROM receipts r WHERE r.tenant_id = $1 AND r.receipt_id = $2`,
      [this.uow.tenantId, receiptId],
    );
  }

  async outcome(receiptId: string): Promise<Signed | undefined> {
    return this.uow.first<Signed>(
      `SELECT body_canonical AS canonical, receipt_signature AS signature, receipt_signature_key_id AS "keyId",
              receipt_signature_algorithm AS algorithm
         FROM receipt_outcomes WHERE tenant_id = $1 AND receipt_id = $2`,
      [this.uow.tenantId, receiptId],
    );
  }

  /** The tenant that a receipt belongs to, whichever it is. */
  async ownerOf(receiptId: string): Promise<string | undefined> {
    const row = await this.uow.acrossTenants('receipts', () =>
      this.uow.first<{ tenantId: string }>('SELECT tenant_id AS "tenantId" FROM receipts WHERE receipt_id = $1', [
        receiptId,
      ]),
    );
    return row?.tenantId;
  }

  /** The tenants that have receipts of a session. */
  async ownersOfSession(sessionId: string, limit: number): Promise<string[]> {
    const rows = await this.uow.acrossTenants('receipts', () =>
      this.uow.rows<{ tenantId: string }>(
        'SELECT DISTINCT tenant_id AS "tenantId" FROM receipts WHERE subject_id = $1 ORDER BY 1 LIMIT $2',
        [sessionId, limit],
      ),
    );
    return rows.map(({ tenantId }) => tenantId);
  }

  /** Newest first, after the receipt with the id `before`. At most `limit`; fewer where they are long. */
  async list(
    tenantIds: readonly string[],
    filter: ReceiptFilter,
    limit: number,
    before?: string,
  ): Promise<ReceiptPage> {
    const parameters = new SqlParameters();
    // Of one tenant, its index has them in their order.
    const [only, ...others] = tenantIds;
    const ofTenants = others.length === 0 ? `= ${parameters.add(only ?? '')}` : `= ANY (${parameters.add(tenantIds)})`;
    const conditions: string[] = [];
    const add = (value: string | undefined, condition: (parameter: string) => string): void => {
      if (value !== undefined) conditions.push(`AND ${condition(parameters.add(value))}`);
    };
    add(before, (parameter) => `r.receipt_id < ${parameter}`);
    add(filter.sessionId, (parameter) => `r.subject_id = ${parameter}`);
    add(filter.corpusId, (parameter) => `r.corpus_id = ${parameter}`);
    add(filter.callerId, (parameter) => `r.caller_id = ${parameter}`);
    add(filter.since, (parameter) => `r.created_at >= ${parameter}::timestamptz`);
    add(filter.until, (parameter) => `r.created_at <= ${parameter}::timestamptz`);
    add(
      filter.documentId,
      (parameter) => `EXISTS (SELECT FROM receipt_chunks c
         WHERE c.tenant_id = r.tenant_id AND c.document_id = ${parameter} AND c.receipt_id = r.receipt_id)`,
    );
    if (!filter.includeTombstoned) conditions.push(`AND r.status = 'active'`);
    const rows = await this.uow.rows<StoredReceipt & { found: number }>(
      `SELECT ${READ}, r.found FROM (
         SELECT r.*, count(*) OVER ()::int AS found,
                sum(octet_length(r.body_canonical)) OVER (ORDER BY r.receipt_id DESC)
                  - octet_length(r.body_canonical) AS bytes_before
           FROM (SELECT * FROM receipts r WHERE r.tenant_id ${ofTenants} ${conditions.join(' ')}
                  ORDER BY r.receipt_id DESC LIMIT ${parameters.add(limit + 1)}) r
       ) r WHERE r.bytes_before < ${MOST_PAGE_BYTES} ORDER BY r.receipt_id DESC`,
      parameters.values,
    );
    const receipts = rows.slice(0, limit);
    return { receipts, more: receipts.length < (rows[0]?.found ?? 0) };
  }

  async query(receiptId: string): Promise<Buffer | undefined> {
    const row = await this.uow.first<{ sealed: Buffer }>(
      'SELECT sealed FROM receipt_queries WHERE tenant_id = $1 AND receipt_id = $2',
      [this.uow.tenantId, receiptId],
    );
    return row?.sealed;
  }

  /** @returns how many questions were erased. */
  async eraseQueries(ownerId: string, sessionId: string): Promise<number> {
    return this.uow.execute('DELETE FROM receipt_queries WHERE tenant_id = $1 AND owner_id = $2 AND session_id = $3', [
      this.uow.tenantId,
      ownerId,
      sessionId,
    ]);
  }
}
