import { Injectable } from '@nestjs/common';
import { UnitOfWork } from '../../../platform/db/index.js';
import { tenantTable, type TenantTable } from '../domain/tenant-tables.js';

interface Reference {
  readonly target: string;
  /** Column here and column there. */
  readonly pairs: readonly (readonly [string, string])[];
}

/** What the catalogue of the database knows of a table, and the list of tenant tables says beyond it. */
export interface TableShape extends TenantTable {
  readonly tenantColumn: string;
  /** Those that move. */
  readonly columns: readonly string[];
  readonly primaryKey: readonly string[];
  /** The primary key without the tenant, with types: rows move in this order. */
  readonly order: readonly { readonly column: string; readonly type: string }[];
  readonly references: readonly Reference[];
}

interface Described {
  readonly columns: readonly { readonly column: string; readonly type: string }[];
  readonly primaryKey: readonly string[];
  readonly references: readonly Reference[];
}

@Injectable()
export class TableShapes {
  /** The schema does not change while the process runs; bounded by the list of tables. */
  readonly #shapes = new Map<string, TableShape>();

  constructor(private readonly uow: UnitOfWork) {}

  async of(name: string): Promise<TableShape> {
    const known = this.#shapes.get(name);
    if (known !== undefined) return known;
    const listed = tenantTable(name);
    const { columns, primaryKey, references } = await this.#describe(name);
    const tenantColumn = name === 'tenants' ? 'id' : 'tenant_id';
    const typeOf = new Map(columns.map(({ column, type }) => [column, type]));
    const shape = {
      ...listed,
      tenantColumn,
      columns: columns.map(({ column }) => column).filter((column) => listed.omit?.includes(column) !== true),
      primaryKey,
      order: primaryKey
        .filter((column) => column !== tenantColumn)
        .map((column) => ({ column, type: typeOf.get(column) ?? 'text' })),
      references,
    };
    this.#shapes.set(name, shape);
    return shape;
  }

  async #describe(name: string): Promise<Described> {
    const found = await this.uow.first<Described>(
      `SELECT
         (SELECT jsonb_agg(jsonb_build_object('column', a.attname, 'type', format_type(a.atttypid, NULL)) ORDER BY a.attnum)
            FROM pg_attribute a
           WHERE a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '') AS columns,
         (SELECT jsonb_agg(a.attname ORDER BY k.place)
            FROM pg_constraint c, unnest(c.conkey) WITH ORDINALITY AS k (number, place), pg_attribute a
           WHERE c.conrelid = t.oid AND c.contype = 'p' AND a.attrelid = t.oid AND a.attnum = k.number) AS "primaryKey",
         (SELECT COALESCE(jsonb_agg(jsonb_build_object('target', p.relname, 'pairs', (
             SELECT jsonb_agg(jsonb_build_array(here.attname, there.attname) ORDER BY k.place)
               FROM unnest(c.conkey, c.confkey) WITH ORDINALITY AS k (own, other, place)
               JOIN pg_attribute here ON here.attrelid = c.conrelid AND here.attnum = k.own
               JOIN pg_attribute there ON there.attrelid = c.confrelid AND there.attnum = k.other))), '[]')
            FROM pg_constraint c JOIN pg_class p ON p.oid = c.confrelid
           WHERE c.conrelid = t.oid AND c.contype = 'f' AND c.confrelid <> t.oid) AS "references"
       FROM pg_class t WHERE t.oid = to_regclass($1)`,
      [name],
    );
    if (found === undefined) throw new Error(`There is no table ${name}.`);
    return found;
  }
}
