import { NestFactory } from '@nestjs/core';
import type { Abstract, INestApplicationContext } from '@nestjs/common';
import { MIGRATIONS } from '../../migrations/index.js';
import { AppModule } from '../app/app.module.js';
import { ensureSchema } from '../app/bootstrap.js';
import { ENTITIES } from '../app/catalogue.js';
import { openInfrastructure, type Infrastructure } from '../app/infrastructure.js';
import { runInContext, systemContext } from '../kernel/context.js';
import { SystemIds } from '../kernel/ids.js';
import type { Settings } from '../kernel/settings.js';
import { dbSettings, Migrator, openDatabase } from '../platform/db/index.js';
import { createLogger, NestLogger, telemetrySettings } from '../platform/telemetry/index.js';
import type { CommandContext } from './command.js';

/** For a command that opens what it needs itself, and closes it afterwards. */
export class OwnContext implements CommandContext {
  readonly serving = false;
  readonly #ids = new SystemIds();
  readonly #closers: (() => Promise<unknown>)[] = [];
  #infrastructure: Promise<Infrastructure> | undefined;
  #application: Promise<INestApplicationContext> | undefined;

  /** @param loadSettings throws for settings that are not valid; most commands cannot go on then. */
  constructor(private readonly loadSettings: () => Settings) {}

  get settings(): Settings {
    return this.loadSettings();
  }

  infrastructure(): Promise<Infrastructure> {
    this.#infrastructure ??= this.#openInfrastructure();
    return this.#infrastructure;
  }

  application(): Promise<INestApplicationContext> {
    this.#application ??= this.#openApplication();
    return this.#application;
  }

  async service<T>(type: Abstract<T>): Promise<T> {
    return (await this.application()).get<T>(type, { strict: false });
  }

  /** Migrations have a login of their own where the settings name one. The embedded database opens only once. */
  async migrator(): Promise<Migrator> {
    const db = this.settings.get(dbSettings);
    if (db.url === undefined) return new Migrator((await this.infrastructure()).database.dataSource);
    const database = await openDatabase(db, { entities: ENTITIES, migrations: MIGRATIONS }, 'migrate');
    this.#closers.push(() => database.close());
    return new Migrator(database.dataSource);
  }

  asSystem<T>(fn: () => Promise<T>, tenantId?: string): Promise<T> {
    return runInContext(systemContext(this.#ids.uuid(), tenantId), fn);
  }

  /** Closes what was opened, in reverse order. */
  async close(): Promise<void> {
    for (let close = this.#closers.pop(); close !== undefined; close = this.#closers.pop()) await close();
  }

  /** Standard output belongs to the result, so logs go to the error output, and only what needs attention. */
  async #openInfrastructure(): Promise<Infrastructure> {
    const { logLevel } = this.settings.get(telemetrySettings);
    const logger = createLogger({ logLevel: logLevel === 'INFO' ? 'WARN' : logLevel }, process.stderr);
    const infrastructure = await openInfrastructure(this.settings, { logger });
    this.#closers.push(() => infrastructure.close());
    return infrastructure;
  }

  async #openApplication(): Promise<INestApplicationContext> {
    const infrastructure = await this.infrastructure();
    await ensureSchema(infrastructure);
    const app = await NestFactory.createApplicationContext(AppModule.of(infrastructure), {
      abortOnError: false,
      logger: new NestLogger(infrastructure.logger),
    });
    this.#closers.push(() => app.close());
    return app;
  }
}
