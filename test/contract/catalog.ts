import type { DataSource } from 'typeorm';

/** Lets a query see everything, whatever role the connection had before. */
async function all<T>(dataSource: DataSource, sql: string): Promise<T[]> {
  const runner = dataSource.createQueryRunner();
  try {
    await runner.query('BEGIN; SET LOCAL ROLE none');
    return (await runner.query(sql, [], true)).records as T[];
  } finally {
    await runner.query('COMMIT');
    await runner.release();
  }
}

/** TypeORM's own list of what was applied. */
export const LEDGER = 'migrations';

const OURS = `n.nspname = current_schema() AND c.relname <> '${LEDGER}' AND NOT EXISTS (
  SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')`;

export interface Table {
  readonly name: string;
  readonly owner: string;
  readonly secured: boolean;
  readonly forced: boolean;
  /** The column that holds the tenant's id. */
  readonly tenantColumn: string | null;
}

export function tables(dataSource: DataSource): Promise<Table[]> {
  return all(
    dataSource,
    `SELECT c.relname AS name, pg_get_userbyid(c.relowner) AS owner, c.relrowsecurity AS secured,
            c.relforcerowsecurity AS forced,
            CASE WHEN c.relname = 'tenants' THEN 'id' ELSE (
              SELECT a.attname::text FROM pg_attribute a
               WHERE a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped) END AS "tenantColumn"
       FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE ${OURS} AND c.relkind IN ('r', 'p') ORDER BY 1`,
  );
}

export interface Column {
  readonly table: string;
  readonly name: string;
  readonly type: string;
  readonly required: boolean;
  /** Whether the database makes a value by itself. */
  readonly generated: boolean;
  readonly primary: boolean;
}

export function columns(dataSource: DataSource): Promise<Column[]> {
  return all(
    dataSource,
    `SELECT c.relname AS table, a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type,
            a.attnotnull AS required, a.atthasdef OR a.attidentity <> '' AS generated,
            EXISTS (SELECT FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype = 'p'
                     AND a.attnum = ANY (k.conkey)) AS primary
       FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE ${OURS} AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped ORDER BY 1, 2`,
  );
}

export interface Constraint {
  readonly table: string;
  readonly name: string;
  /** primary key, unique, foreign key, check, exclusion */
  readonly kind: 'p' | 'u' | 'f' | 'c' | 'x';
  readonly columns: readonly string[];
  /** Of a foreign key. */
  readonly target: string | null;
  readonly definition: string;
}

export function constraintsOf(dataSource: DataSource): Promise<Constraint[]> {
  return all(
    dataSource,
    `SELECT c.relname AS table, k.conname AS name, k.contype AS kind, t.relname AS target,
            pg_get_constraintdef(k.oid) AS definition,
            ARRAY(SELECT a.attname::text FROM pg_attribute a
                   WHERE a.attrelid = k.conrelid AND a.attnum = ANY (k.conkey) ORDER BY 1) AS columns
       FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
       LEFT JOIN pg_class t ON t.oid = k.confrelid
      WHERE ${OURS} AND k.contype <> 'n' ORDER BY 1, 2`,
  );
}

export interface Index {
  readonly table: string;
  readonly name: string;
  readonly unique: boolean;
  readonly definition: string;
}

/** Indexes that no constraint brought. */
export function indexes(dataSource: DataSource): Promise<Index[]> {
  return all(
    dataSource,
    `SELECT c.relname AS table, i.relname AS name, x.indisunique AS unique, pg_get_indexdef(i.oid) AS definition
       FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class c ON c.oid = x.indrelid
       JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE ${OURS} AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.oid) ORDER BY 1, 2`,
  );
}

export interface Policy {
  readonly table: string;
  readonly name: string;
  readonly roles: readonly string[];
  readonly permissive: string;
  readonly command: string;
  readonly using: string | null;
  readonly check: string | null;
}

export function policies(dataSource: DataSource): Promise<Policy[]> {
  return all(
    dataSource,
    `SELECT tablename AS table, policyname AS name, roles::text[] AS roles, permissive, cmd AS command, qual AS using,
            with_check AS check
       FROM pg_policies WHERE schemaname = current_schema() ORDER BY 1, 2`,
  );
}

export interface Grant {
  readonly table: string;
  readonly role: string;
  readonly privileges: string;
}

/** What others than the owner may do. */
export function grants(dataSource: DataSource): Promise<Grant[]> {
  return all(
    dataSource,
    `SELECT c.relname AS table, pg_get_userbyid(a.grantee) AS role,
            string_agg(a.privilege_type, ', ' ORDER BY a.privilege_type) AS privileges
       FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace, aclexplode(c.relacl) a
      WHERE ${OURS} AND a.grantee <> c.relowner GROUP BY 1, 2 ORDER BY 1, 2`,
  );
}

export interface View {
  readonly name: string;
  /** `v`, or `m` for a materialized one. */
  readonly kind: 'v' | 'm';
  /** Whether it reads with the rights of whoever asks it. */
  readonly invoker: boolean;
}

export function views(dataSource: DataSource): Promise<View[]> {
  return all(
    dataSource,
    `SELECT c.relname AS name, c.relkind AS kind, c.reloptions @> ARRAY['security_invoker=true'] IS TRUE AS invoker
       FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE ${OURS} AND c.relkind IN ('v', 'm') ORDER BY 1`,
  );
}

/** What the migrations made beside tables: extensions, functions, triggers, sequences, views and types. */
function others(dataSource: DataSource): Promise<unknown[]> {
  return all(
    dataSource,
    `SELECT 'extension' AS kind, extname::text AS name FROM pg_extension
      UNION ALL SELECT 'function', p.oid::regprocedure::text FROM pg_proc p
        WHERE p.pronamespace = current_schema()::regnamespace
          AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
      UNION ALL SELECT 'trigger', t.tgname || ' on ' || t.tgrelid::regclass FROM pg_trigger t WHERE NOT t.tgisinternal
      UNION ALL SELECT c.relkind::text, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE ${OURS} AND c.relkind IN ('S', 'v', 'm', 'f') AND c.relname <> '${LEDGER}_id_seq'
      UNION ALL SELECT 'type', t.typname FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
        WHERE n.nspname = current_schema() AND t.typtype IN ('e', 'd', 'r')
      ORDER BY 1, 2`,
  );
}

/** Everything about the schema that a statement can notice. */
export async function schemaOf(dataSource: DataSource): Promise<Readonly<Record<string, readonly unknown[]>>> {
  return {
    tables: await tables(dataSource),
    columns: await all(
      dataSource,
      `SELECT table_name, ordinal_position, column_name, data_type, is_nullable, column_default, is_identity
         FROM information_schema.columns WHERE table_schema = current_schema() AND table_name <> '${LEDGER}' ORDER BY 1, 2`,
    ),
    types: await columns(dataSource),
    constraints: await constraintsOf(dataSource),
    indexes: await indexes(dataSource),
    policies: await policies(dataSource),
    grants: await grants(dataSource),
    others: await others(dataSource),
  };
}
