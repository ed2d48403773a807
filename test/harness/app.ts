import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { Writable } from 'node:stream';
import supertest, { type Test } from 'supertest';
import type { DataSource } from 'typeorm';
import { ENTITIES, SETTINGS } from '../../src/app/catalogue.js';
import { startJobs, type RunningJobs } from '../../src/app/jobs.js';
import { createHttpApp, type HttpApp } from '../../src/app/http-app.js';
import { openInfrastructure, type Infrastructure, type Replacements } from '../../src/app/infrastructure.js';
import { ApiKeys } from '../../src/features/auth/index.js';
import { Plans } from '../../src/features/plans/index.js';
import type { DocumentPermissionEntity } from '../../src/features/rbac-abac/index.js';
import { Tenants } from '../../src/features/tenants/index.js';
import { AuditTrail } from '../../src/kernel/audit.js';
import { runInContext, systemContext } from '../../src/kernel/context.js';
import type { Role } from '../../src/kernel/principal.js';
import { loadSettings } from '../../src/kernel/settings.js';
import { SystemClock } from '../../src/kernel/time.js';
import { documentParserSettings } from '../../src/platform/document-parser/index.js';
import { createLogger, telemetrySettings } from '../../src/platform/telemetry/index.js';
import type { AuditWriter } from '../../src/features/audit/index.js';
import { testDatabase } from './database.js';
import { testParser } from './parser.js';
import { testRedisUrl } from './services.js';

type Json = Record<string, unknown>;

/** Somebody with a key of their own. Requests go to the application under test. */
export interface Actor {
  readonly tenantId: string;
  readonly userId: string;
  readonly keyId: string;
  readonly token: string;
  get(path: string): Test;
  post(path: string, body?: object): Test;
  put(path: string, body: object): Test;
  patch(path: string, body: object): Test;
  delete(path: string): Test;
}

/** As grants name somebody. */
interface Holder {
  readonly type: DocumentPermissionEntity['principalType'];
  readonly id: string;
}
type Permission = DocumentPermissionEntity['permission'];

let tenants = 0;

/** The whole application over a database of its own, listening on a free port. */
export class TestApp {
  private constructor(
    readonly app: HttpApp,
    readonly infrastructure: Infrastructure,
    readonly url: string,
    /** Every line that was logged, parsed. */
    readonly logs: Json[],
    private readonly folder: string,
    private readonly jobs: RunningJobs | undefined,
  ) {}

  /**
   * @param env settings that differ from their defaults.
   * @param replace parts of the infrastructure that the test decides, such as the clock or the chat model.
   * @param runJobs false for an API process whose worker is elsewhere, or away.
   */
  static async start(env: Record<string, string> = {}, replace: Replacements = {}, runJobs = true): Promise<TestApp> {
    const folder = mkdtempSync(join(tmpdir(), 'nexusrag-test-'));
    const redis: Record<string, string> =
      testRedisUrl === undefined ? {} : { REDIS_URL: testRedisUrl, REDIS_KEY_PREFIX: basename(folder) };
    const settings = loadSettings(
      {
        LLM_PROVIDER: 'fake',
        AUTH_CACHE_TTL_S: '0',
        RATE_LIMIT_ENABLED: 'false',
        NEXUSRAG_DATA_DIR: folder,
        ...redis,
        ...env,
      },
      SETTINGS,
    );
    const logs: Json[] = [];
    const logger = createLogger(settings.get(telemetrySettings), collector(logs));
    const { dataSource, close } = await testDatabase([...ENTITIES]);
    const database = { dataSource, embedded: true, close };
    const parser = testParser(settings.get(documentParserSettings), replace.clock ?? new SystemClock());
    const infrastructure = await openInfrastructure(settings, { logger, database, parser, ...replace });
    const app = await createHttpApp(infrastructure).catch(async (error: unknown) => {
      await infrastructure.close();
      throw error;
    });
    const port = await app.listen(0);
    const jobs = runJobs ? await startJobs(app.nest, infrastructure) : undefined;
    return new TestApp(app, infrastructure, `http://127.0.0.1:${port}`, logs, folder, jobs);
  }

  async close(): Promise<void> {
    await this.jobs?.stop();
    await this.app.close();
    await this.infrastructure.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  get dataSource(): DataSource {
    return this.infrastructure.database.dataSource;
  }

  /** A tenant that no other test uses; on the free plan as one that was never given a plan. */
  async tenant(plan: 'free' | 'pro' | 'enterprise' = 'enterprise'): Promise<string> {
    const id = `tenant-${process.pid}-${(tenants += 1)}`;
    await this.app.nest.get(Tenants).ensure(id);
    if (plan !== 'free') await this.as(id, () => this.app.nest.get(Plans, { strict: false }).assign(plan));
    return id;
  }

  /** Somebody of the role, in a new tenant unless one is given. */
  async actor(role: Role = 'admin', tenantId?: string): Promise<Actor> {
    const tenant = tenantId ?? (await this.tenant());
    const key = await this.as(tenant, () => this.app.nest.get(ApiKeys).create({ role, name: `test ${role}` }));
    const bearer = (test: Test): Test => test.set('Authorization', `Bearer ${key.token}`);
    return {
      tenantId: tenant,
      userId: key.userId,
      keyId: key.id,
      token: key.token,
      get: (path) => bearer(supertest(this.url).get(path)),
      post: (path, body) =>
        body === undefined ? bearer(supertest(this.url).post(path)) : bearer(supertest(this.url).post(path)).send(body),
      put: (path, body) => bearer(supertest(this.url).put(path)).send(body),
      patch: (path, body) => bearer(supertest(this.url).patch(path)).send(body),
      delete: (path) => bearer(supertest(this.url).delete(path)),
    };
  }

  /**
   * Grants something on a document of the tenant, without asking anybody.
   *
   * @param to an actor for their user, or a role for everybody of it.
   */
  async grant(
    tenantId: string,
    documentId: string,
    to: Actor | Role | Holder,
    permission: Permission = 'read',
    expiresAt: Date | null = null,
  ): Promise<void> {
    const { type, id } = holderOf(to);
    await this.rows(
      `INSERT INTO document_permissions
         (tenant_id, id, document_id, principal_type, principal_id, permission, granted_by, expires_at)
       VALUES ($1, $2, $3, $4, $5, $6, 'test', $7)
       ON CONFLICT ON CONSTRAINT uq_document_permissions DO UPDATE SET expires_at = EXCLUDED.expires_at`,
      [tenantId, this.infrastructure.ids.uuid(), documentId, type, id, permission, expiresAt],
    );
  }

  anonymous(): ReturnType<typeof supertest> {
    return supertest(this.url);
  }

  /** Runs code of the application as the system, in one tenant. */
  as<T>(tenantId: string, fn: () => Promise<T>): Promise<T> {
    return runInContext(systemContext(this.infrastructure.ids.uuid(), tenantId), fn);
  }

  /** Rows past row-level security, for what a test must know and no route tells. */
  async rows<T = Json>(sql: string, parameters: unknown[] = []): Promise<T[]> {
    return this.infrastructure.uow.acrossTenants('bootstrap', () =>
      this.infrastructure.uow.rows<T & object>(sql, parameters),
    );
  }

  /** Audit rows of a tenant after everything buffered is written, oldest first. */
  async audit(tenantId: string | null): Promise<Json[]> {
    await this.app.nest.get<AuditTrail, AuditWriter>(AuditTrail).flush();
    return this.rows(`SELECT * FROM audit_events WHERE tenant_id IS NOT DISTINCT FROM $1 ORDER BY id`, [tenantId]);
  }
}

function holderOf(to: Actor | Role | Holder): Holder {
  if (typeof to === 'string') return { type: 'role', id: to };
  return 'userId' in to ? { type: 'user', id: to.userId } : to;
}

function collector(lines: Json[]): Writable {
  return new Writable({
    write(chunk: Buffer, _encoding, done) {
      for (const line of chunk.toString().split('\n')) if (line !== '') lines.push(JSON.parse(line) as Json);
      done();
    },
  });
}
