import { Injectable } from '@nestjs/common';
import { SqlParameters, UnitOfWork, violatedConstraint } from '../../../platform/db/index.js';
import type { Key } from '../domain/manifest.js';
import type { TenantTable } from '../domain/tenant-tables.js';
import { movesErrors } from '../tenant-moves.errors.js';
import { TableShapes, type TableShape } from './table-shapes.repository.js';

/** A part of a table in the order of its key: behind `after`, up to and including `through`; null has no limit. */
export interface Range {
  readonly after: Key | null;
  readonly through: Key | null;
}

export interface Comparison {
  /** Rows whose key exists here. */
  readonly present: number;
  /** Those of them that are not the same. */
  readonly different: number;
}

/**
 * Rows of the context's tenant as lines of JSON, which the database itself writes and reads: numbers, vectors and times
 * keep every bit, and equal rows are equal lines. Texts are ordered by their bytes, whatever the collation of the
 * database, so that a range means the same in every region.
 */
@Injectable()
export class MovingRowsRepository {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly shapes: TableShapes,
  ) {}

  /** In a transaction: sets its time zone. */
  async read(table: string, range: Range, limit: number): Promise<{ line: string; key: Key }[]> {
    const shape = await this.#shape(table);
    const values = new SqlParameters();
    return this.uow.rows(
      `SELECT (${lineOf(shape)})::text AS line, jsonb_build_array(${keyTexts(shape)}) AS key
         FROM ${table} t WHERE ${within(shape, range, values, this.uow.tenantId)}
          AND NOT (${shape.ignored ?? 'false'})
        ORDER BY ${[...keyOrder(shape), `t.${shape.tenantColumn}`].join(', ')} LIMIT ${values.add(limit)}`,
      values.values,
    );
  }

  /** How the lines differ from what is here. In a transaction: sets its time zone. */
  async compare(table: string, lines: string): Promise<Comparison> {
    const shape = await this.#shape(table);
    const found = await this.uow.first<Comparison>(
      `SELECT count(*)::int AS present, count(*) FILTER (WHERE ${lineOf(shape)} <> line)::int AS different
         FROM jsonb_array_elements($2::jsonb) AS line CROSS JOIN LATERAL jsonb_populate_record(NULL::${table}, line) g
         JOIN ${table} t ON ${same(shape, 'g')} WHERE t.${shape.tenantColumn} = $1`,
      [this.uow.tenantId, lines],
    );
    return found ?? { present: 0, different: 0 };
  }

  /**
   * Adds rows, and changes those that exist when `overwrite` is set. Rows whose parents are missing are left out: they
   * were deleted while they were exported. @returns how many rows it wrote. @throws residency.import_conflict
   */
  async write(table: string, lines: string, overwrite: boolean): Promise<number> {
    const shape = await this.#shape(table);
    const columns = shape.columns.join(', ');
    return this.#fitting(
      table,
      `INSERT INTO ${table} AS t (${columns}) OVERRIDING SYSTEM VALUE
       SELECT ${columns} FROM jsonb_populate_recordset(NULL::${table}, $1::jsonb) g WHERE ${parents(shape)}
       ON CONFLICT (${shape.primaryKey.join(', ')}) ${overwrite ? changes(shape) : 'DO NOTHING'}`,
      [lines],
    );
  }

  /** Deletes the rows of the range that are not among the lines. @throws residency.import_conflict */
  async deleteOthers(table: string, range: Range, lines: string): Promise<number> {
    const shape = await this.#shape(table);
    if (shape.appendOnly === true || shape.partly !== undefined) return 0;
    const values = new SqlParameters();
    const given = `jsonb_populate_recordset(NULL::${table}, ${values.add(lines)}::jsonb)`;
    return this.#fitting(
      table,
      `DELETE FROM ${table} t WHERE ${within(shape, range, values, this.uow.tenantId)}
          AND NOT EXISTS (SELECT FROM ${given} g WHERE ${same(shape, 'g')})`,
      values.values,
    );
  }

  /** Documents of the range with what is stored of them. */
  async storedFiles({ after, through }: Range, limit: number): Promise<{ documentId: string; storageKey: string }[]> {
    return this.uow.rows(
      `SELECT id AS "documentId", storage_key AS "storageKey" FROM documents
        WHERE tenant_id = $1 AND storage_key IS NOT NULL AND ($2::text IS NULL OR id COLLATE "C" > $2)
          AND ($3::text IS NULL OR id COLLATE "C" <= $3)
        ORDER BY id COLLATE "C" LIMIT $4`,
      [this.uow.tenantId, after?.[0] ?? null, through?.[0] ?? null, limit],
    );
  }

  async someDocuments(limit: number): Promise<string[]> {
    const sql = `SELECT id FROM documents WHERE tenant_id = $1 ORDER BY id LIMIT $2`;
    return (await this.uow.rows<{ id: string }>(sql, [this.uow.tenantId, limit])).map(({ id }) => id);
  }

  /** Files whose removal was asked for and has not happened. */
  async doomedFiles(after: string, limit: number): Promise<string[]> {
    const sql = `SELECT storage_key AS key FROM document_source_removals
      WHERE tenant_id = $1 AND storage_key > $2 ORDER BY storage_key LIMIT $3`;
    return (await this.uow.rows<{ key: string }>(sql, [this.uow.tenantId, after, limit])).map(({ key }) => key);
  }

  async tenantExists(): Promise<boolean> {
    return (await this.uow.first('SELECT id FROM tenants WHERE id = $1', [this.uow.tenantId])) !== undefined;
  }

  /** Rows by table, in one statement. */
  async count(tables: readonly string[]): Promise<Record<string, number>> {
    const counts = tables.map(
      (table) => `SELECT '${table}' AS table, count(*)::int AS rows FROM ${table} WHERE tenant_id = $1`,
    );
    const found = await this.uow.rows<{ table: string; rows: number }>(counts.join(' UNION ALL '), [this.uow.tenantId]);
    return Object.fromEntries(found.map(({ table, rows }) => [table, rows]));
  }

  /** Deletes at most so many rows of the table. */
  async deleteSome({ table, appendOnly }: TenantTable, limit: number): Promise<number> {
    if (appendOnly === true) {
      const found = await this.uow.first<{ gone: number }>('SELECT purge_append_only($1, $2) AS gone', [table, limit]);
      return found?.gone ?? 0;
    }
    return this.uow.execute(
      `DELETE FROM ${table} WHERE ctid = ANY (ARRAY(SELECT ctid FROM ${table} WHERE tenant_id = $1 LIMIT $2))`,
      [this.uow.tenantId, limit],
    );
  }

  async empty(table: string, columns: readonly string[]): Promise<void> {
    const nothing = columns.map((column) => `${column} = NULL`).join(', ');
    await this.uow.execute(`UPDATE ${table} SET ${nothing} WHERE tenant_id = $1`, [this.uow.tenantId]);
  }

  /** A change that rows of the tenant here may stand in the way of, such as a corpus of the same name. */
  async #fitting(table: string, sql: string, values: readonly unknown[]): Promise<number> {
    try {
      return await this.uow.execute(sql, values);
    } catch (cause) {
      const constraint = violatedConstraint(cause);
      if (constraint === undefined) throw cause;
      throw movesErrors['residency.import_conflict']({
        cause,
        message: `Rows that the tenant has here stand in the way: ${table} violates ${constraint}. Remove or rename them, and repeat the import.`,
        details: { table, constraint },
      });
    }
  }

  /** As JSON writes times in the zone of the transaction, that must be the same everywhere. */
  async #shape(table: string): Promise<TableShape> {
    await this.uow.rows(`SELECT set_config('TimeZone', 'UTC', true)`);
    return this.shapes.of(table);
  }
}

function lineOf({ omit = [], partly = {} }: TableShape): string {
  const own = Object.entries(partly).map(([column, { sent }]) => `'${column}', ${sent}`);
  const without = omit.map((column) => ` - '${column}'`).join('');
  return `to_jsonb(t)${without}${own.length === 0 ? '' : ` || jsonb_build_object(${own.join(', ')})`}`;
}

function keyTexts({ order }: TableShape): string {
  return order
    .map(({ column, type }) => (type.startsWith('timestamp') ? `to_jsonb(t.${column}) #>> '{}'` : `t.${column}::text`))
    .join(', ');
}

function keyOrder({ order }: TableShape): string[] {
  return order.map(({ column, type }) => `t.${column}${collation(type)}`);
}

function collation(type: string): string {
  return type === 'text' ? ' COLLATE "C"' : '';
}

function within(shape: TableShape, { after, through }: Range, values: SqlParameters, tenantId: string): string {
  const bound = (sign: string, key: Key): string => {
    const limits = shape.order.map(({ type }, place) => `${values.add(key[place])}::${type}${collation(type)}`);
    return ` AND (${keyOrder(shape).join(', ')}) ${sign} (${limits.join(', ')})`;
  };
  const single = shape.order.length === 0;
  return [
    `t.${shape.tenantColumn} = ${values.add(tenantId)}`,
    after === null || single ? '' : bound('>', after),
    through === null || single ? '' : bound('<=', through),
  ].join('');
}

function same({ primaryKey }: TableShape, other: string): string {
  return primaryKey.map((column) => `${other}.${column} = t.${column}`).join(' AND ');
}

function parents({ references }: TableShape): string {
  const present = references.map(({ target, pairs }) => {
    const matched = pairs.map(([here, there]) => `p.${there} = g.${here}`).join(' AND ');
    const absent = pairs.map(([here]) => `g.${here} IS NULL`).join(' OR ');
    return `(${absent} OR EXISTS (SELECT FROM ${target} p WHERE ${matched}))`;
  });
  return present.length === 0 ? 'true' : present.join(' AND ');
}

function changes({ columns, primaryKey, partly = {}, touched, appendOnly }: TableShape): string {
  const changed = columns.filter((column) => !primaryKey.includes(column));
  if (appendOnly === true || changed.length === 0) return 'DO NOTHING';
  const values = changed.map((column) => `${column} = ${partly[column]?.stored ?? `excluded.${column}`}`);
  return `DO UPDATE SET ${[...values, ...(touched ?? [])].join(', ')}`;
}
