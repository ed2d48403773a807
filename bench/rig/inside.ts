import type { Type } from '@nestjs/common';
import { SETTINGS } from '../../src/app/catalogue.js';
import { createHttpApp, type HttpApp } from '../../src/app/http-app.js';
import { openInfrastructure, type Infrastructure } from '../../src/app/infrastructure.js';
import { ApiKeys } from '../../src/features/auth/index.js';
import { Tenants } from '../../src/features/tenants/index.js';
import { runInContext, systemContext } from '../../src/kernel/context.js';
import { loadSettings } from '../../src/kernel/settings.js';
import { RoundTrips, type RoundTrip } from '../../test/harness/round-trips.js';

/** Comments may stand before the first word. */
const READS = /^(\/\*.*?\*\/ )?(SELECT|WITH) /;
const VECTOR_SETTINGS = ['hnsw.ef_search', 'hnsw.iterative_scan', 'hnsw.max_scan_tuples', 'hnsw.scan_mem_multiplier'];

/** The application in this process: to set things up, and to see which statements a request sends. */
export class Inside {
  readonly #trips = new RoundTrips();

  private constructor(
    private readonly app: HttpApp,
    private readonly infrastructure: Infrastructure,
    private readonly url: string,
  ) {
    this.#trips.countStatements(infrastructure.database.dataSource);
  }

  static async open(env: Readonly<Record<string, string>>): Promise<Inside> {
    const infrastructure = await openInfrastructure(loadSettings({ ...env, LOG_LEVEL: 'SILENT' }, SETTINGS));
    const app = await createHttpApp(infrastructure);
    return new Inside(app, infrastructure, `http://127.0.0.1:${await app.listen(0)}`);
  }

  async close(): Promise<void> {
    await this.app.close();
    await this.infrastructure.close();
  }

  /** An admin key of the tenant, which is made when it is missing. */
  async key(tenantId: string): Promise<string> {
    await this.service(Tenants).ensure(tenantId);
    const key = await this.as(tenantId, () => this.service(ApiKeys).create({ role: 'admin', name: 'bench' }));
    return key.token;
  }

  /** @throws Error for an answer that is no success. */
  async call(
    token: string,
    path: string,
    body?: object,
  ): Promise<{ readonly data: unknown; readonly requestId: string }> {
    const response = await fetch(this.url + path, {
      method: body === undefined ? 'GET' : 'POST',
      headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${path} was answered ${response.status}: ${text}`);
    const { data } = JSON.parse(text) as { data: unknown };
    return { data, requestId: response.headers.get('X-Request-Id') ?? '' };
  }

  /** The statements that read for a request, in the order in which they were sent. */
  async statementsOf(token: string, path: string): Promise<RoundTrip[]> {
    const { requestId } = await this.call(token, path);
    return this.#trips.of(requestId).filter(({ what }) => READS.test(what));
  }

  /** Runs code of the application as the system, in one tenant. */
  as<T>(tenantId: string, work: () => Promise<T>): Promise<T> {
    return runInContext(systemContext('bench', tenantId), work);
  }

  service<T>(type: Type<T>): T {
    return this.app.nest.get(type, { strict: false });
  }

  /** What the application's connections are set to, as options of a connection. */
  async connectionOptions(tenantId: string): Promise<string> {
    // Not from pg_settings, which hides them until the session has used a vector.
    const [set = {}] = await this.infrastructure.database.dataSource.query<Record<string, string | null>[]>(
      `SELECT ${VECTOR_SETTINGS.map((name) => `current_setting('${name}', true) AS "${name}"`).join(', ')}`,
    );
    const settings = Object.entries<string | null>({ ...set, role: 'nexusrag_app', 'app.tenant_id': tenantId });
    return settings.flatMap(([name, value]) => (value === null ? [] : [`-c ${name}=${value}`])).join(' ');
  }
}
