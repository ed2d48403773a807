import { Injectable } from '@nestjs/common';
import { UnitOfWork } from '../../../platform/db/index.js';
import type { CanonicalEvent, Link, Seal, SealedStretch } from '../domain/chain.js';

/** An event that waits for its seal. */
export interface UnsealedEvent extends CanonicalEvent {
  readonly chain: string;
}

/** The newest event of all chains, and the transactions that may still add one before it. */
export interface Horizon {
  readonly id: number;
  readonly writers: readonly string[];
}

/** Most seals, and about the most events, that are read at once. */
const SEALS_AT_ONCE = 100;
const EVENTS_AT_ONCE = 2000;

const INSTANT = `'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'`;

/** Every column of an event `e`. Instants to the microsecond and in UTC, whatever the session is set to. */
const CANONICAL = `jsonb_build_object('id', e.id,
  'occurred_at', to_char(e.occurred_at AT TIME ZONE 'UTC', ${INSTANT}), 'tenant_id', e.tenant_id,
  'actor_type', e.actor_type, 'actor_id', e.actor_id, 'actor_role', e.actor_role, 'subject_id', e.subject_id,
  'event_type', e.event_type, 'outcome', e.outcome, 'resource_type', e.resource_type, 'resource_id', e.resource_id,
  'request_id', e.request_id, 'ip_address', e.ip_address, 'user_agent', e.user_agent,
  'metadata_json', e.metadata_json, 'error_code', e.error_code,
  'created_at', to_char(e.created_at AT TIME ZONE 'UTC', ${INSTANT}))::text`;

/** Transactions that have added events, or are about to: they hold this lock from before they take an id. */
const WRITERS = `SELECT DISTINCT virtualtransaction AS id FROM pg_locks
  WHERE locktype = 'relation' AND relation = 'audit_events'::regclass AND mode = 'RowExclusiveLock' AND granted
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`;

@Injectable()
export class AuditChainRepository {
  constructor(private readonly uow: UnitOfWork) {}

  /**
   * Once none of the writers is left, every event up to the id is there for good: the id was read before the locks
   * were, so whoever could still take a lower one is among them.
   */
  async horizon(): Promise<Horizon> {
    const row = await this.uow.first<{ id: string; writers: string[] }>(
      `SELECT (SELECT COALESCE(max(id), 0) FROM audit_events)::text AS id,
              COALESCE((SELECT jsonb_agg(w.id) FROM (${WRITERS}) w), '[]') AS writers`,
    );
    return { id: Number(row?.id), writers: row?.writers ?? [] };
  }

  /** Those of the transactions that have not ended. */
  async stillWriting(writers: readonly string[]): Promise<string[]> {
    const rows = await this.uow.rows<{ id: string }>(WRITERS);
    return rows.map(({ id }) => id).filter((id) => writers.includes(id));
  }

  /** Keeps other processes from sealing until the transaction ends. @returns false when one of them is at it. */
  async lockSealing(): Promise<boolean> {
    const row = await this.uow.first<{ locked: boolean }>(
      `SELECT pg_try_advisory_xact_lock(hashtextextended('nexusrag.audit-seals', 0)) AS locked`,
    );
    return row?.locked === true;
  }

  /** The first events of all chains that have no seal, up to an id. */
  async unsealed(upTo: number, limit: number): Promise<UnsealedEvent[]> {
    const rows = await this.uow.rows<Omit<UnsealedEvent, 'id'> & { id: string }>(
      `SELECT e.id::text AS id, COALESCE(e.tenant_id, '-') AS chain, ${CANONICAL} AS canonical
         FROM audit_events e
        WHERE e.id > COALESCE((SELECT max(last_event_id) FROM audit_seals), 0) AND e.id <= $1
        ORDER BY e.id LIMIT $2`,
      [upTo, limit],
    );
    return rows.map((row) => ({ ...row, id: Number(row.id) }));
  }

  /** What the next seals of the chains go on from, by chain. A chain without seals is missing. */
  async heads(chains: readonly string[]): Promise<Map<string, Link>> {
    const rows = await this.uow.rows<{ chain: string; id: string; hash: string }>(
      `SELECT c.chain, s.last_event_id::text AS id, encode(s.root, 'hex') AS hash
         FROM jsonb_array_elements_text($1::jsonb) AS c (chain)
        CROSS JOIN LATERAL (SELECT last_event_id, root FROM audit_seals
                             WHERE tenant_id = c.chain ORDER BY last_event_id DESC LIMIT 1) s`,
      [JSON.stringify(chains)],
    );
    return new Map(rows.map(({ chain, id, hash }) => [chain, { id: Number(id), hash }]));
  }

  async head(chain: string): Promise<Link | undefined> {
    return (await this.heads([chain])).get(chain);
  }

  /** @param seals by chain. */
  async addSeals(seals: ReadonlyMap<string, Seal>): Promise<void> {
    const rows = [...seals].map(([chain, { ids, hashes, root }]) => ({ chain, ids, hashes: hashes.join(''), root }));
    await this.uow.execute(
      `INSERT INTO audit_seals
         (tenant_id, last_event_id, event_count, event_ids, row_hashes, root, occurred_from, occurred_to)
       SELECT s.chain, max(e.id), cardinality(s.ids), s.ids, decode(s.hashes, 'hex'), decode(s.root, 'hex'),
              min(e.occurred_at), max(e.occurred_at)
         FROM jsonb_to_recordset($1::jsonb) AS s (chain text, ids bigint[], hashes text, root text)
         JOIN audit_events e ON e.id = ANY (s.ids) GROUP BY s.chain, s.ids, s.hashes, s.root`,
      [JSON.stringify(rows)],
    );
  }

  /** Last events of the seals between which all events of a time are: after the first, up to the second. */
  async range(chain: string, from: string | null, to: string | null): Promise<{ after: number; upTo: number }> {
    const row = await this.uow.first<{ after: string; up_to: string }>(
      `SELECT COALESCE((SELECT max(last_event_id) FROM audit_seals
                         WHERE tenant_id = $1 AND last_event_id < bounds.first), 0)::text AS after,
              CASE WHEN bounds.first IS NULL THEN 0 ELSE COALESCE(bounds.last, 0) END::text AS up_to
         FROM (SELECT min(last_event_id) FILTER (WHERE $2::timestamptz IS NULL OR occurred_to >= $2) AS first,
                      max(last_event_id) FILTER (WHERE $3::timestamptz IS NULL OR occurred_from <= $3) AS last
                 FROM audit_seals WHERE tenant_id = $1) bounds`,
      [chain, from, to],
    );
    return { after: Number(row?.after), upTo: Number(row?.up_to) };
  }

  /** Some seals after a place in the chain with their events, all of one moment. No seals at the end of the chain. */
  async stretch(chain: string, after: number, upTo: number): Promise<SealedStretch> {
    const row = await this.uow.first<{ found: StretchRow }>(STRETCH, [chain, after, upTo]);
    if (row === undefined) throw new Error('A query without FROM has one row.');
    const { before, anchor, last, seals, events } = row.found;
    return {
      last: last ?? undefined,
      before: before ?? undefined,
      anchor: anchor ?? undefined,
      seals: (seals ?? []).map(({ ids, hashes, root }) => ({ ids, hashes: hashes.match(/.{64}/g) ?? [], root })),
      events: events ?? [],
    };
  }

  /** Chains with sealed events from before the cutoff. */
  async agedChains(cutoff: Date): Promise<string[]> {
    const rows = await this.uow.rows<{ chain: string }>(
      `SELECT DISTINCT s.tenant_id AS chain FROM audit_seals s LEFT JOIN audit_anchors a ON a.tenant_id = s.tenant_id
        WHERE s.occurred_from < $1 AND s.last_event_id > COALESCE(a.event_id, 0) ORDER BY 1`,
      [cutoff],
    );
    return rows.map(({ chain }) => chain);
  }

  /** Removes the oldest events of a chain. @returns how many; 0 when there are no more from before the cutoff. */
  async prune(chain: string, cutoff: Date, most: number): Promise<number> {
    const row = await this.uow.first<{ removed: number }>(`SELECT prune_audit_events($1, $2, $3) AS removed`, [
      chain,
      cutoff,
      most,
    ]);
    return row?.removed ?? 0;
  }
}

interface StretchRow {
  readonly last: number | null;
  readonly before: Link | null;
  readonly anchor: Link | null;
  readonly seals: { ids: number[]; hashes: string; root: string }[] | null;
  readonly events: CanonicalEvent[] | null;
}

/** Nobody takes an id below 1, but for those who slip an event in. */
const LOWEST = `'-9223372036854775808'::bigint`;

/** One statement, so that no pruning comes between seals and events. $1 is the chain, ($2, $3] the seals. */
const STRETCH = `
  WITH seals AS (
    SELECT * FROM (
      SELECT next.*, sum(event_count) OVER (ORDER BY last_event_id) - event_count AS events_before
        FROM (SELECT * FROM audit_seals WHERE tenant_id = $1 AND last_event_id > $2 AND last_event_id <= $3
               ORDER BY last_event_id LIMIT ${SEALS_AT_ONCE}) next
    ) counted WHERE events_before < ${EVENTS_AT_ONCE}
  ), before AS (
    SELECT last_event_id AS id, encode(root, 'hex') AS hash FROM audit_seals
     WHERE tenant_id = $1 AND last_event_id < (SELECT min(last_event_id) FROM seals)
     ORDER BY last_event_id DESC LIMIT 1
  ), events AS (
    SELECT e.id, ${CANONICAL} AS canonical FROM audit_events e
     WHERE COALESCE(e.tenant_id, '-') = $1 AND e.id > COALESCE((SELECT id FROM before), ${LOWEST})
       AND e.id <= (SELECT max(last_event_id) FROM seals)
     ORDER BY e.id LIMIT (SELECT sum(event_count) + 1 FROM seals)
  )
  SELECT jsonb_build_object(
    'last', (SELECT max(last_event_id) FROM seals),
    'before', (SELECT to_jsonb(before) FROM before),
    'anchor', (SELECT jsonb_build_object('id', event_id, 'hash', encode(row_hash, 'hex'))
                 FROM audit_anchors WHERE tenant_id = $1),
    'seals', (SELECT jsonb_agg(jsonb_build_object('ids', event_ids, 'hashes', encode(row_hashes, 'hex'),
                                                  'root', encode(root, 'hex')) ORDER BY last_event_id) FROM seals),
    'events', (SELECT jsonb_agg(to_jsonb(events) ORDER BY id) FROM events)) AS found`;
