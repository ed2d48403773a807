import { NestFactory } from '@nestjs/core';
import type { Logger } from 'pino';
import { executor } from '../cli/executor.js';
import { authSettings } from '../features/auth/index.js';
import { ingestionSettings } from '../features/ingestion/index.js';
import { runSettings } from '../features/run/index.js';
import type { Settings } from '../kernel/settings.js';
import { DataFolder, dbSettings } from '../platform/db/index.js';
import { httpSettings } from '../platform/http/index.js';
import { settingsFromEnvironment } from '../platform/settings/index.js';
import { sharedStateSettings } from '../platform/shared-state/index.js';
import { createLogger, NestLogger, telemetrySettings } from '../platform/telemetry/index.js';
import { AppModule } from './app.module.js';
import { bannerText } from './banner.js';
import { bootstrap, ensureSchema, type Bootstrapped } from './bootstrap.js';
import { SETTINGS } from './catalogue.js';
import { ControlSocket } from './control-socket.js';
import { createHttpApp, type HttpApp } from './http-app.js';
import { openInfrastructure, type Infrastructure } from './infrastructure.js';
import { JOBS_DRAIN_MS, startJobs } from './jobs.js';
import type { Lifecycle } from './lifecycle.js';
import { productionWarnings } from './production-warnings.js';
import { WrongRole } from './start-fault.js';
import { version } from './version.js';

/** Without Redis nobody else would hear of a job, and nobody else can open the embedded database. */
function isAlone(settings: Settings): boolean {
  return settings.get(sharedStateSettings).redisUrl === undefined || settings.get(dbSettings).url === undefined;
}

/** Whether the API runs the jobs: when it is alone, and when documents are ingested inline, for want of a worker. */
function runsJobs(settings: Settings): boolean {
  return isAlone(settings) || settings.get(ingestionSettings).executionMode === 'inline';
}

/** The API; with the embedded database, the whole platform in one process. */
export async function serveApi(life: Lifecycle): Promise<void> {
  const infrastructure = await open(life);
  const { logger, settings } = infrastructure;
  const restoreLogs = quieten(logger);
  await ensureSchema(infrastructure);
  const app = await createHttpApp(infrastructure);
  life.onStop(() => app.close(), settings.get(runSettings).drainSeconds * 1000);
  if (runsJobs(settings)) {
    const jobs = await startJobs(app.nest, infrastructure);
    life.alongside(() => jobs.stop(), JOBS_DRAIN_MS);
  }
  const demo = infrastructure.database.embedded ? await embed(life, app, infrastructure) : undefined;
  const port = await listen(app, infrastructure);
  const { header } = settings.get(authSettings);
  const facts = { version: version(), port, header, ...(demo === undefined ? {} : { demo }) };
  process.stdout.write(`${bannerText(facts, process.cwd())}\n`);
  restoreLogs();
}

/** Runs jobs for API processes elsewhere. */
export async function serveWorker(life: Lifecycle): Promise<void> {
  const settings = settingsFromEnvironment(SETTINGS);
  if (isAlone(settings)) {
    throw new WrongRole(
      'A worker needs DATABASE_URL and REDIS_URL. Without them the API process runs the jobs itself.',
    );
  }
  const infrastructure = await open(life, settings);
  await ensureSchema(infrastructure);
  const logger = new NestLogger(infrastructure.logger);
  const app = await NestFactory.createApplicationContext(AppModule.of(infrastructure), { abortOnError: false, logger });
  life.onStop(() => app.close());
  const jobs = await startJobs(app, infrastructure);
  life.onStop(() => jobs.stop(), JOBS_DRAIN_MS);
  infrastructure.logger.info({ version: version() }, 'the worker runs jobs');
}

async function open(life: Lifecycle, settings = settingsFromEnvironment(SETTINGS)): Promise<Infrastructure> {
  const logger = createLogger(settings.get(telemetrySettings));
  const infrastructure = await openInfrastructure(settings, { logger });
  life.log = logger;
  for (const warning of productionWarnings(settings)) logger.warn(warning);
  life.onStop(() => infrastructure.close());
  return infrastructure;
}

/** What comes with the embedded database: the demo, and the socket through which commands reach this process. */
async function embed(life: Lifecycle, app: HttpApp, infrastructure: Infrastructure): Promise<Bootstrapped> {
  const { clock, logger, settings } = infrastructure;
  const folder = new DataFolder(settings.get(dbSettings).dataDir);
  const demo = await bootstrap(app.nest, infrastructure, folder);
  try {
    const execute = executor(app.nest, infrastructure);
    const socket = await ControlSocket.open(folder, { execute, clock, log: logger });
    life.alongside(() => socket.close());
  } catch (error) {
    logger.warn({ err: error }, 'no control socket: commands need this process to be stopped');
  }
  return demo;
}

/** A port that cannot be had is reported once, by whoever runs the process; Nest would log it as well. */
async function listen(app: HttpApp, { logger, settings }: Infrastructure): Promise<number> {
  const { level } = logger;
  logger.level = 'silent';
  try {
    return await app.listen(settings.get(httpSettings).port);
  } finally {
    logger.level = level;
  }
}

/** Keeps the start's own log lines from pushing the banner off the screen; problems still show. */
function quieten(logger: Logger): () => void {
  const { level } = logger;
  if (logger.isLevelEnabled('info') && !logger.isLevelEnabled('debug')) logger.level = 'warn';
  return () => {
    logger.level = level;
  };
}
