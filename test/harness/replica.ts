import { createHttpApp, type HttpApp } from '../../src/app/http-app.js';
import { openInfrastructure, type Infrastructure, type Replacements } from '../../src/app/infrastructure.js';
import type { TestApp } from './app.js';

/** A second process as far as it can be one in here: with its own caches, and connections of its own to Redis, where there is one. */
export class Replica {
  private constructor(
    readonly app: HttpApp,
    readonly infrastructure: Infrastructure,
    readonly url: string,
  ) {}

  /**
   * @param replace what it has otherwise than the application, such as its clock.
   * @param settings those of the application unless given, as after a restart with others.
   */
  static async of(
    { infrastructure }: TestApp,
    replace: Replacements = {},
    settings = infrastructure.settings,
  ): Promise<Replica> {
    const { database, clock, logger, chat, state, appendLogs, gate } = infrastructure;
    const shared = state.distributed ? {} : { state, appendLogs, gate };
    const own = await openInfrastructure(settings, {
      clock,
      logger,
      chat,
      database: { ...database, close: () => Promise.resolve() },
      ...shared,
      ...replace,
    });
    const app = await createHttpApp(own);
    return new Replica(app, own, `http://127.0.0.1:${await app.listen(0)}`);
  }

  /** Stores that are shared stay open. */
  async close(): Promise<void> {
    await this.app.close();
    if (this.infrastructure.state.distributed) await this.infrastructure.close();
  }
}
