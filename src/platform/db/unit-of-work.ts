import { AsyncLocalStorage } from 'node:async_hooks';
import { escapeLiteral } from 'pg';
import type pg from 'pg';
import {
  QueryFailedError,
  type DataSource,
  type EntityTarget,
  type ObjectLiteral,
  type QueryRunner,
  type Repository,
} from 'typeorm';
import { tryContext } from '../../kernel/context.js';
import { asDbError, isRetriable } from './db-failures.js';
import { dbErrors } from './db.errors.js';
import type { CrossTenantReason } from './cross-tenant.js';
import { APP_ROLE, SYSTEM_ROLE, TENANT_VARIABLE } from './roles.js';

interface Session {
  /** Of the connection, for repositories. Statements go to the connection itself, in half the time. */
  readonly runner: QueryRunner;
  readonly connection: pg.ClientBase;
  readonly scope: 'transaction' | 'read' | 'across-tenants';
  readonly tenantId: string | undefined;
  readonly afterCommit: (() => void)[];
}

const MAX_TRIES = 3;

/**
 * The tenant that a pooled connection was last marked with; reads skip the mark when it already fits. Shared by all
 * units of work of the process: what is true of a connection does not depend on who asks.
 */
const marks = new WeakMap<object, string>();

/**
 * The only way to the database. The connection of the current unit travels in AsyncLocalStorage, so a repository
 * cannot use the wrong one, and every unit names the tenant whose rows exist in it; row-level security hides the
 * rest. Nothing may wait for a model, HTTP or Redis inside a unit: it holds a connection, and on the embedded
 * database the only one.
 */
export class UnitOfWork {
  readonly #sessions = new AsyncLocalStorage<Session>();

  constructor(private readonly dataSource: DataSource) {}

  /**
   * Runs `fn` in a transaction of the context's tenant, or joins the one that is open. Rolls back when `fn`
   * throws. Runs `fn` again, at most three times in all, after a serialization failure or deadlock, so `fn` must
   * have no effects outside the database.
   *
   * @throws AUTHZ_RLS_GUARD_FAILED without a tenant in the context; SERVICE_UNAVAILABLE when the database is away.
   */
  async run<T>(fn: () => Promise<T>): Promise<T> {
    const open = this.#sessions.getStore();
    if (open !== undefined) {
      if (open.scope !== 'read') return fn();
      throw new Error('A transaction cannot start inside read(): it would wait for a second connection.');
    }
    const tenantId = this.#tenantId();
    return this.#transaction(
      `BEGIN; SET LOCAL ROLE ${APP_ROLE}; SELECT set_config('${TENANT_VARIABLE}', ${escapeLiteral(tenantId)}, true)`,
      'transaction',
      tenantId,
      fn,
    );
  }

  /**
   * Runs reads, or one change that commits by itself, on one connection of the context's tenant without a transaction:
   * a single round trip a statement when the pool hands out a connection that was last used for the same tenant. Joins
   * an open unit.
   */
  async read<T>(fn: () => Promise<T>): Promise<T> {
    if (this.#sessions.getStore() !== undefined) return fn();
    const tenantId = this.#tenantId();
    const runner = this.dataSource.createQueryRunner();
    try {
      const connection = (await runner.connect()) as pg.ClientBase;
      if (marks.get(connection) !== tenantId) {
        marks.delete(connection);
        await sent(
          connection,
          `SET ROLE ${APP_ROLE}; SELECT set_config('${TENANT_VARIABLE}', ${escapeLiteral(tenantId)}, false)`,
        );
        marks.set(connection, tenantId);
      }
      return await this.#sessions.run({ runner, connection, scope: 'read', tenantId, afterCommit: [] }, fn);
    } catch (error) {
      throw asDbError(error);
    } finally {
      await runner.release();
    }
  }

  /** Runs `fn` in a transaction that sees every tenant. The reason must be one of the listed ones. */
  async acrossTenants<T>(_reason: CrossTenantReason, fn: () => Promise<T>): Promise<T> {
    const open = this.#sessions.getStore();
    if (open?.scope === 'across-tenants') return fn();
    if (open !== undefined) throw new Error('acrossTenants() cannot start inside a unit of one tenant.');
    return this.#transaction(`BEGIN; SET LOCAL ROLE ${SYSTEM_ROLE}`, 'across-tenants', undefined, fn);
  }

  /** Calls back after the current transaction committed; at once when none is open. For waking and evicting only. */
  afterCommit(callback: () => void): void {
    const open = this.#sessions.getStore();
    if (open === undefined || open.scope === 'read') callback();
    else open.afterCommit.push(callback);
  }

  /** Runs work that an open unit merely happens to set off, such as writing out a buffer, in units of its own. */
  outside<T>(fn: () => T): T {
    return this.#sessions.exit(fn);
  }

  get inTransaction(): boolean {
    const scope = this.#sessions.getStore()?.scope;
    return scope === 'transaction' || scope === 'across-tenants';
  }

  /** Rows of one statement in the current unit. */
  async rows<T extends object>(sql: string, parameters: readonly unknown[] = []): Promise<T[]> {
    return (await sent<T>(this.#session().connection, sql, parameters)).rows;
  }

  async first<T extends object>(sql: string, parameters: readonly unknown[] = []): Promise<T | undefined> {
    return (await this.rows<T>(sql, parameters))[0];
  }

  /** Number of rows that one statement changed. */
  async execute(sql: string, parameters: readonly unknown[] = []): Promise<number> {
    return (await sent(this.#session().connection, sql, parameters)).rowCount ?? 0;
  }

  /** TypeORM's repository on the current unit's connection, for lookups by key and plain inserts. */
  repository<E extends ObjectLiteral>(entity: EntityTarget<E>): Repository<E> {
    return this.#session().runner.manager.getRepository(entity);
  }

  /** The tenant of the current unit, for the explicit predicate that every statement carries besides RLS. */
  get tenantId(): string {
    const { tenantId } = this.#session();
    if (tenantId === undefined) throw dbErrors.AUTHZ_RLS_GUARD_FAILED();
    return tenantId;
  }

  #session(): Session {
    const session = this.#sessions.getStore();
    if (session === undefined) throw new Error('No unit of work is open: wrap the call in run() or read().');
    return session;
  }

  #tenantId(): string {
    const tenantId = tryContext()?.tenantId;
    if (tenantId === undefined) throw dbErrors.AUTHZ_RLS_GUARD_FAILED();
    return tenantId;
  }

  async #transaction<T>(
    begin: string,
    scope: 'transaction' | 'across-tenants',
    tenantId: string | undefined,
    fn: () => Promise<T>,
  ): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      const afterCommit: (() => void)[] = [];
      const runner = this.dataSource.createQueryRunner();
      try {
        const connection = (await runner.connect()) as pg.ClientBase;
        await sent(connection, begin);
        const result = await this.#sessions.run({ runner, connection, scope, tenantId, afterCommit }, fn);
        await sent(connection, 'COMMIT');
        for (const callback of afterCommit) callback();
        return result;
      } catch (error) {
        await runner.query('ROLLBACK').catch(() => undefined);
        if (attempt < MAX_TRIES && isRetriable(error)) continue;
        throw asDbError(error);
      } finally {
        await runner.release();
      }
    }
  }
}

/** @throws QueryFailedError, as TypeORM does. */
async function sent<T extends object>(
  connection: pg.ClientBase,
  sql: string,
  parameters: readonly unknown[] = [],
): Promise<pg.QueryResult<T>> {
  try {
    return await connection.query<T>(sql, [...parameters]);
  } catch (error) {
    throw new QueryFailedError(sql, [...parameters], error as Error);
  }
}
