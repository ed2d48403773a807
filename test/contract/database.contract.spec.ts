import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { TableColumn } from 'typeorm';
import { MIGRATIONS } from '../../migrations/index.js';
import { ENTITIES } from '../../src/app/catalogue.js';
import { CROSS_TENANT, Migrator } from '../../src/platform/db/index.js';
import { testDatabase, type TestDatabase } from '../harness/database.js';
import {
  columns,
  constraintsOf,
  grants,
  indexes,
  policies,
  schemaOf,
  tables,
  type Column,
  type Constraint,
  type Grant,
  type Index,
  type Policy,
  type Table,
} from './catalog.js';
import { failure, rawSql, type Sql } from './raw-sql.js';
import { fill, ROWS } from './rows.js';
import { sources } from './sources.js';

/** Tables that are read and written in SQL only. */
const WITHOUT_ENTITY: Readonly<Record<string, string>> = {
  audit_anchors: 'written by prune_audit_events alone',
  audit_seals: 'hashes of many events in a row; sealed and verified by statements that no mapper writes',
  outbox_jobs: 'claimed, leased and swept by statements that no mapper writes',
  receipt_chain: 'written and verified by statements that no mapper writes',
  receipt_chain_checks: 'as above',
  receipt_chunks: 'written in one statement with its receipt',
  receipt_outcomes: 'as above; read as the text that was signed',
  receipt_queries: 'as above',
  receipts: 'as above',
  webhook_deliveries: 'fenced by the job that works on them, by statements that no mapper writes',
  webhook_attempts: 'written in one statement with the state that follows from them',
  webhook_stopped_endpoints: 'replaced, read and deleted beside the deliveries',
};

/** Tables whose primary key leaves the tenant out. */
const KEY_WITHOUT_TENANT: Readonly<Record<string, string>> = {
  audit_events: 'events before authentication have no tenant; the key is made by the database',
  authorization_policies: 'templates have no tenant; ids are random and made here',
  authorization_policy_versions: 'as above',
  policy_bundles: 'those of all tenants have no tenant; ids are random and made here',
  tenants: 'the key is the tenant',
};

/** Tables that belong to no tenant: all read them, and only migrations change them. */
const CATALOGUE: Readonly<Record<string, string>> = {
  plan_features: 'what a plan includes is the same for everybody',
  plans: 'what can be had is the same for everybody',
};

/** Tables with rows of no tenant that every tenant reads, and none writes. */
const READ_BY_ALL = ['authorization_policies', 'policy_bundles'];

/** Unique across tenants: a second owner is told that the value is taken. */
const UNIQUE_FOR_ALL: Readonly<Record<string, string>> = {
  uq_api_keys_id: 'a key is looked up before its tenant is known; ids are random and made here',
  uq_api_keys_hash: 'as above; the hash of a random secret',
  uq_receipts_id: 'operators find a receipt by it, whoever has it; ids are random and made here',
};

/** Tables whose rows never change. */
const APPEND_ONLY = [
  'audit_anchors',
  'audit_events',
  'audit_seals',
  'authorization_policy_versions',
  'receipt_chain',
  'receipt_chunks',
  'receipt_outcomes',
  'receipts',
  'provider_key_audit_events',
  'vector_db_incident_events',
];

/** Tables whose rows are evidence: requests of a tenant add and change them, and delete none. */
const EVIDENCE = [
  'provider_key_bindings',
  'provider_key_rotations',
  'vector_dbs',
  'vector_db_residency_policies',
  'vector_db_attachments',
  'vector_db_incident_logs',
];

/** Append-only tables that a tenant's own requests only read. */
const WRITTEN_FOR_TENANTS = ['audit_anchors', 'audit_seals'];

const ROLES = ['nexusrag_app', 'nexusrag_system'];

let db: TestDatabase;
let found: {
  tables: Table[];
  columns: Column[];
  constraints: Constraint[];
  indexes: Index[];
  policies: Policy[];
  grants: Grant[];
};

beforeAll(async () => {
  db = await testDatabase([...ENTITIES]);
  found = {
    tables: await tables(db.dataSource),
    columns: await columns(db.dataSource),
    constraints: await constraintsOf(db.dataSource),
    indexes: await indexes(db.dataSource),
    policies: await policies(db.dataSource),
    grants: await grants(db.dataSource),
  };
});
afterAll(() => db.close());

const tenantTables = (): Table[] => found.tables.filter(({ tenantColumn }) => tenantColumn !== null);
const byTable = (rows: readonly { table: string }[], { name }: Table): unknown[] =>
  rows.filter(({ table }) => table === name).map((row) => ({ ...row, table: '' }));

describe('the migrations', () => {
  // A release that cannot be taken back leaves only the backup to go back to.
  it('can be taken back one by one to nothing, and applied again to the same schema', async () => {
    const own = await testDatabase();
    const migrator = new Migrator(own.dataSource);
    const before = await schemaOf(own.dataSource);
    expect(before['tables']?.length).toBeGreaterThan(10);
    for (const Newest of [...MIGRATIONS].reverse()) expect(await migrator.down()).toBe(new Newest().name);
    expect(await migrator.down()).toBeUndefined();
    const { others = [], ...empty } = await schemaOf(own.dataSource);
    expect(Object.values(empty).flat()).toEqual([]);
    expect(others).toEqual([{ kind: 'extension', name: 'plpgsql' }]);
    expect(await migrator.up()).toHaveLength(MIGRATIONS.length);
    expect(await schemaOf(own.dataSource)).toEqual(before);
    await own.close();
  });
});

/** The name that Postgres itself gives to a type. */
function fullType(name: string): string {
  return ({ int: 'integer', timestamptz: 'timestamp with time zone' } as Record<string, string>)[name] ?? name;
}

describe('the entities', () => {
  it('map exactly the tables, but for those that are listed', () => {
    const mapped = db.dataSource.entityMetadatas.map(({ tableName }) => tableName);
    expect([...mapped, ...Object.keys(WITHOUT_ENTITY)].sort()).toEqual(found.tables.map(({ name }) => name));
  });

  // Where they differ, a query that TypeORM writes fails, or a lookup by half a key finds another row.
  it('have exactly the columns of their tables: names, types, nullability, defaults and keys', () => {
    const mapped = db.dataSource.entityMetadatas.flatMap(({ tableName, columns: own }) =>
      own.map((column) => ({
        table: tableName,
        name: column.databaseName,
        type: fullType(db.dataSource.driver.createFullType(column as unknown as TableColumn)),
        required: !column.isNullable,
        generated: column.default !== undefined || column.isGenerated || column.isCreateDate,
        primary: column.isPrimary,
      })),
    );
    const real = found.columns.filter(({ table }) => !Object.hasOwn(WITHOUT_ENTITY, table));
    const key = ({ table, name }: { table: string; name: string }): string => `${table}.${name}`;
    const sorted = <T extends { table: string; name: string }>(rows: T[]): T[] =>
      rows.sort((a, b) => (key(a) < key(b) ? -1 : 1));
    expect(sorted(mapped)).toEqual(sorted([...real]));
  });
});

describe('names and keys', () => {
  it('of constraints start with their kind and their table', () => {
    const prefix = { p: 'pk', u: 'uq', f: 'fk', c: 'ck', x: 'ex' };
    const expected = ({ kind, table }: Constraint): string => `${prefix[kind]}_${table}`;
    const wrong = found.constraints.filter((constraint) => !constraint.name.startsWith(expected(constraint)));
    expect(wrong.map(({ name }) => name)).toEqual([]);
    expect(found.indexes.filter(({ name, table }) => !name.startsWith(`ix_${table}_`)).map(({ name }) => name)).toEqual(
      [],
    );
  });

  it('of every table start with or follow from the tenant', () => {
    const all = tenantTables()
      .map(({ name }) => name)
      .filter((name) => !Object.hasOwn(KEY_WITHOUT_TENANT, name));
    const keys = found.constraints.filter(({ kind, columns: own }) => kind === 'p' && own.includes('tenant_id'));
    expect(keys.map(({ table }) => table).sort()).toEqual(all);
  });

  // A value that is unique across tenants tells one tenant what another has.
  it('are unique per tenant, but for those that are listed', () => {
    const acrossTenants = found.constraints.filter(
      ({ kind, columns: own }) => kind === 'u' && !own.includes('tenant_id'),
    );
    expect(acrossTenants.map(({ name }) => name).sort()).toEqual(Object.keys(UNIQUE_FOR_ALL).sort());
    expect(found.indexes.filter(({ unique, definition }) => unique && !definition.includes('tenant_id'))).toEqual([]);
  });

  it('of other tables are referred to together with the tenant', () => {
    const loose = found.constraints.filter(
      ({ kind, columns: own, target }) =>
        kind === 'f' && !own.includes('tenant_id') && !Object.hasOwn(CATALOGUE, target ?? ''),
    );
    expect(loose.map(({ name }) => name)).toEqual([]);
  });
});

describe('tenant isolation', () => {
  it('covers every table', () => {
    const shared = found.tables.filter(({ tenantColumn }) => tenantColumn === null).map(({ name }) => name);
    expect(shared).toEqual(Object.keys(CATALOGUE));
    expect(tenantTables().filter(({ secured, forced }) => !secured || !forced)).toEqual([]);
  });

  it('has the same two policies on every table, and no third that would widen them but where all read rows of no tenant', () => {
    const readByAll = {
      table: '',
      name: 'global_rows',
      roles: ['nexusrag_app'],
      permissive: 'PERMISSIVE',
      command: 'SELECT',
      using: '(tenant_id IS NULL)',
      check: null,
    };
    for (const table of tenantTables()) {
      const own = `(${table.tenantColumn} = current_setting('app.tenant_id'::text, true))`;
      expect([table.name, byTable(found.policies, table)]).toEqual([
        table.name,
        [
          {
            table: '',
            name: 'all_rows',
            roles: ['nexusrag_system'],
            permissive: 'PERMISSIVE',
            command: 'ALL',
            using: 'true',
            check: 'true',
          },
          ...(READ_BY_ALL.includes(table.name) ? [readByAll] : []),
          {
            table: '',
            name: 'tenant_rows',
            roles: ['nexusrag_app'],
            permissive: 'PERMISSIVE',
            command: 'ALL',
            using: own,
            check: own,
          },
        ],
      ]);
    }
  });

  it('gives both roles the rows and nothing else, and of append-only tables no change', () => {
    for (const table of tenantTables()) {
      const privileges = (role: string): string => {
        if (role === 'nexusrag_app' && WRITTEN_FOR_TENANTS.includes(table.name)) return 'SELECT';
        if (role === 'nexusrag_app' && EVIDENCE.includes(table.name)) return 'INSERT, SELECT, UPDATE';
        return APPEND_ONLY.includes(table.name) ? 'INSERT, SELECT' : 'DELETE, INSERT, SELECT, UPDATE';
      };
      const expected = ROLES.map((role) => ({ table: '', role, privileges: privileges(role) }));
      const granted = found.grants.filter(({ role }) => role !== 'nexusrag_retention');
      expect([table.name, byTable(granted, table)]).toEqual([table.name, expected]);
    }
  });

  it('leaves tables that belong to no tenant to be read, by both roles', () => {
    const shared = found.grants.filter(({ table }) => Object.hasOwn(CATALOGUE, table));
    const expected = Object.keys(CATALOGUE).flatMap((table) =>
      ROLES.map((role) => ({ table, role, privileges: 'SELECT' })),
    );
    expect(shared).toEqual(expected);
  });

  // Whoever could log in as this role, or call its function for a younger cutoff, could remove traces.
  it('lets only retention remove audit events, through a function that spares the last day', async () => {
    expect(found.grants.filter(({ role }) => ![...ROLES, 'nexusrag_retention'].includes(role))).toEqual([]);
    expect(found.grants.filter(({ role }) => role === 'nexusrag_retention')).toEqual([
      { table: 'audit_anchors', role: 'nexusrag_retention', privileges: 'UPDATE' },
      { table: 'audit_events', role: 'nexusrag_retention', privileges: 'DELETE' },
      { table: 'audit_seals', role: 'nexusrag_retention', privileges: 'DELETE' },
      { table: 'authorization_policy_versions', role: 'nexusrag_retention', privileges: 'DELETE' },
    ]);
    const [role] = await db.dataSource.query<unknown[]>(
      `SELECT rolcanlogin, rolsuper, rolbypassrls FROM pg_roles WHERE rolname = 'nexusrag_retention'`,
    );
    expect(role).toEqual({ rolcanlogin: false, rolsuper: false, rolbypassrls: false });
    const functions = await db.dataSource.query<unknown[]>(
      `SELECT proname, pg_get_userbyid(proowner) AS owner, proconfig::text AS config,
              has_function_privilege('nexusrag_app', oid, 'EXECUTE') AS app,
              has_function_privilege('nexusrag_system', oid, 'EXECUTE') AS system
         FROM pg_proc WHERE prosecdef AND pronamespace = current_schema()::regnamespace ORDER BY proname`,
    );
    expect(functions).toEqual([
      {
        proname: 'prune_audit_events',
        owner: 'nexusrag_retention',
        config: expect.stringMatching(/search_path=public, pg_temp/),
        app: false,
        system: true,
      },
      {
        proname: 'purge_append_only',
        owner: 'nexusrag_retention',
        config: expect.stringMatching(/search_path=public, pg_temp/),
        app: true,
        system: false,
      },
    ]);
  });

  it('is out of reach of the roles: they own nothing, are no superusers and inherit from nobody', async () => {
    expect(found.tables.filter(({ owner }) => ROLES.includes(owner))).toEqual([]);
    const roles = await db.dataSource.query<unknown[]>(
      `SELECT rolname, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolcanlogin,
              (SELECT count(*)::int FROM pg_auth_members m WHERE m.member = r.oid) AS memberships
         FROM pg_roles r WHERE rolname = ANY ($1) ORDER BY 1`,
      [ROLES],
    );
    const powerless = {
      rolsuper: false,
      rolbypassrls: false,
      rolcreaterole: false,
      rolcreatedb: false,
      rolcanlogin: false,
    };
    expect(roles).toEqual(ROLES.map((rolname) => ({ rolname, ...powerless, memberships: 0 })));
  });
});

describe('rows of two tenants', () => {
  beforeAll(() => fill(db.dataSource, ['a', 'b']));

  const as = <T>(role: string, tenant: string | undefined, work: (sql: Sql) => Promise<T>): Promise<T> =>
    rawSql(db.dataSource, `SET LOCAL ROLE ${role}`, tenant, work);
  const app = <T>(tenant: string | undefined, work: (sql: Sql) => Promise<T>): Promise<T> =>
    as('nexusrag_app', tenant, work);

  it('are there in every table', async () => {
    expect(Object.keys(ROWS).sort()).toEqual(tenantTables().map(({ name }) => name));
    for (const { name, tenantColumn } of tenantTables()) {
      const rows = await as('nexusrag_system', undefined, (sql) =>
        sql(`SELECT ${tenantColumn} AS t FROM ${name} ORDER BY 1`),
      );
      expect([name, rows]).toEqual([name, [{ t: 'a' }, { t: 'b' }]]);
    }
  });

  // A statement that forgets its tenant must find nothing rather than everything.
  it('do not exist without a tenant, or for a tenant that is nobody', async () => {
    for (const tenant of [undefined, '', 'nobody']) {
      for (const { name } of tenantTables()) {
        expect([name, await app(tenant, (sql) => sql(`SELECT 1 FROM ${name}`))]).toEqual([name, []]);
      }
    }
  });

  it('do not exist for each other: not to read, to change or to delete', async () => {
    for (const { name, tenantColumn } of tenantTables()) {
      const seen = await app('a', (sql) => sql(`SELECT ${tenantColumn} AS t FROM ${name}`));
      expect([name, seen]).toEqual([name, [{ t: 'a' }]]);
      if (APPEND_ONLY.includes(name)) continue;
      const touched = await app('a', async (sql) => [
        ...(await sql(`UPDATE ${name} SET ${tenantColumn} = ${tenantColumn} WHERE ${tenantColumn} = 'b' RETURNING 1`)),
        ...(EVIDENCE.includes(name) ? [] : await sql(`DELETE FROM ${name} WHERE ${tenantColumn} = 'b' RETURNING 1`)),
      ]);
      expect([name, touched]).toEqual([name, []]);
    }
  });

  it('cannot be written or moved into another tenant', async () => {
    for (const { name, tenantColumn } of tenantTables()) {
      const copy = `INSERT INTO ${name} OVERRIDING SYSTEM VALUE SELECT (jsonb_populate_record(NULL::${name},
        to_jsonb(t) || '{"${tenantColumn}": "b"}')).* FROM ${name} t`;
      expect([name, await failure(app('a', (sql) => sql(copy)))]).toEqual([
        name,
        expect.stringMatching(WRITTEN_FOR_TENANTS.includes(name) ? /permission denied/ : /row-level security/),
      ]);
      if (APPEND_ONLY.includes(name)) continue;
      const move = `UPDATE ${name} SET ${tenantColumn} = 'b'`;
      expect([name, await failure(app('a', (sql) => sql(move)))]).toEqual([
        name,
        expect.stringMatching(/row-level security/),
      ]);
    }
  });

  it('of no tenant are read by every tenant where that is listed, and written by none', async () => {
    for (const name of READ_BY_ALL) {
      const added = `INSERT INTO ${name} SELECT (jsonb_populate_record(NULL::${name},
        to_jsonb(t) || '{"tenant_id": null, "id": "everybody"}')).* FROM ${name} t`;
      expect(await failure(app('a', (sql) => sql(added)))).toMatch(/row-level security/);
      await as('nexusrag_system', undefined, (sql) => sql(`${added} WHERE tenant_id = 'a'`));
      const touched = await app('a', async (sql) => [
        await sql(`SELECT id FROM ${name} WHERE tenant_id IS NULL`),
        await sql(`UPDATE ${name} SET tenant_id = 'a' WHERE tenant_id IS NULL RETURNING 1`),
        await sql(`DELETE FROM ${name} WHERE tenant_id IS NULL RETURNING 1`),
      ]);
      expect([name, touched]).toEqual([name, [[{ id: 'everybody' }], [], []]]);
      await as('nexusrag_system', undefined, (sql) => sql(`DELETE FROM ${name} WHERE tenant_id IS NULL`));
    }
  });

  it('cannot be reached by switching the isolation off', async () => {
    for (const { name } of tenantTables()) {
      for (const statement of [
        `ALTER TABLE ${name} DISABLE ROW LEVEL SECURITY`,
        `ALTER TABLE ${name} NO FORCE ROW LEVEL SECURITY`,
        `DROP POLICY tenant_rows ON ${name}`,
        `CREATE POLICY mine ON ${name} USING (true)`,
      ]) {
        expect([statement, await failure(app('a', (sql) => sql(statement)))]).toEqual([
          statement,
          expect.stringMatching(/must be owner/),
        ]);
      }
      const unfiltered = app('a', async (sql) => [
        await sql('SET LOCAL row_security = off'),
        await sql(`SELECT 1 FROM ${name}`),
      ]);
      expect([name, await failure(unfiltered)]).toEqual([name, expect.stringMatching(/row-level security/)]);
    }
  });

  it('of an append-only table cannot be changed, by either role', async () => {
    for (const role of ROLES) {
      for (const name of APPEND_ONLY) {
        for (const statement of [`UPDATE ${name} SET tenant_id = 'a'`, `DELETE FROM ${name}`, `TRUNCATE ${name}`]) {
          expect([role, await failure(as(role, 'a', (sql) => sql(statement)))]).toEqual([
            role,
            expect.stringMatching(/permission denied/),
          ]);
        }
      }
    }
  });

  it('that point into another tenant are refused by their foreign keys', async () => {
    const alien = `INSERT INTO documents SELECT (jsonb_populate_record(NULL::documents,
      to_jsonb(d) || '{"id": "alien", "corpus_id": "only-b"}')).* FROM documents d`;
    await app('b', (sql) =>
      sql(`INSERT INTO corpora (tenant_id, id, name, provider_config_json) VALUES ('b', 'only-b', 'B', '{}')`),
    );
    expect(await failure(app('a', (sql) => sql(alien)))).toMatch(/fk_documents_corpus/);
  });
});

describe('the escapes from tenant isolation', () => {
  const used = (): { path: string; reason: string | undefined }[] =>
    sources()
      .filter(({ path }) => path !== 'src/platform/db/unit-of-work.ts')
      .flatMap(({ path, text }) =>
        [...text.matchAll(/\.acrossTenants\(\s*(?:'([\w-]+)')?/g)].map(([, reason]) => ({ path, reason })),
      );

  // Each use sees the rows of every tenant; one that nobody listed is one that nobody reviewed.
  it('are used for exactly the listed reasons, each written out where it is used', () => {
    expect(used().filter(({ reason }) => reason === undefined)).toEqual([]);
    expect([...new Set(used().map(({ reason }) => reason))].sort()).toEqual(Object.keys(CROSS_TENANT).sort());
    expect(Object.values(CROSS_TENANT).filter((why) => why.length < 20)).toEqual([]);
  });

  it('have one owner each', () => {
    const owners = new Map<string | undefined, Set<string>>();
    for (const { path, reason } of used()) {
      const owner = /^src\/(?:features|platform|app)\/[\w-]+/.exec(path)?.[0] ?? path;
      owners.set(reason, (owners.get(reason) ?? new Set()).add(owner));
    }
    expect([...owners].filter(([, folders]) => folders.size > 1)).toEqual([]);
  });

  it('are the only use of the role that sees all tenants', () => {
    const named = sources().filter(({ text }) => /'nexusrag_system'|SYSTEM_ROLE/.test(text));
    expect(named.map(({ path }) => path).sort()).toEqual([
      'src/platform/db/roles.ts',
      'src/platform/db/unit-of-work.ts',
    ]);
  });
});
