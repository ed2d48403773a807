import type { DataSource } from 'typeorm';
import { tryContext } from '../../src/kernel/context.js';
import { SystemClock, type Timer } from '../../src/kernel/time.js';
import { aroundStatements } from './statements.js';

/** One wait for the database or for the shared state. */
export interface RoundTrip {
  readonly to: 'database' | 'shared state';
  readonly requestId: string | undefined;
  /** Whether the pipeline was done and the handler at work. */
  readonly inHandler: boolean;
  /** Delivery of jobs, which the commit wakes and nobody waits for. It sees all tenants, as no handler does. */
  readonly delivery: boolean;
  /** The statement on one line, or the name of the call. */
  readonly what: string;
  readonly parameters: readonly unknown[];
}

/**
 * Without maintenance, which would take connections at moments of its own, and slow enough that no cache forgets between
 * two requests. Short waits of requests are kept.
 */
export class QuietClock extends SystemClock {
  override monotonic(): number {
    return super.monotonic() / 100;
  }

  override after(ms: number, callback: () => void): Timer {
    return ms < 1000 ? super.after(ms, callback) : { cancel: () => undefined };
  }
}

/** Notes what an application in this process waits for, and for which request. */
export class RoundTrips {
  readonly #all: RoundTrip[] = [];

  /** What a request waited for, in order. */
  of(requestId: string): RoundTrip[] {
    return this.#all.filter((trip) => trip.requestId === requestId && !trip.delivery);
  }

  /** A store that notes each of its calls, but for those that nobody waits for. */
  counted<T extends object>(store: T, unawaited: readonly string[] = []): T {
    return new Proxy(store, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name, target);
        if (typeof value !== 'function') return value;
        if (unawaited.includes(String(name))) return value.bind(target) as unknown;
        return (...parameters: unknown[]): unknown => {
          this.#note('shared state', String(name), parameters);
          return Reflect.apply(value, target, parameters);
        };
      },
    });
  }

  /** Notes each statement that a connection sends from now on. */
  countStatements(dataSource: DataSource): void {
    aroundStatements(dataSource, (send) => {
      let acrossTenants = false;
      return (...parameters) => {
        const statement = String(parameters[0]).replaceAll(/\s+/g, ' ').trim();
        acrossTenants ||= statement.includes('nexusrag_system');
        this.#note('database', statement, (parameters[1] ?? []) as unknown[], acrossTenants);
        if (statement === 'COMMIT' || statement === 'ROLLBACK') acrossTenants = false;
        return send(...parameters);
      };
    });
  }

  #note(to: RoundTrip['to'], what: string, parameters: readonly unknown[], acrossTenants = false): void {
    const context = tryContext();
    /** Jobs carry the id of the request that asked for them, and were opened by no pipeline. */
    const requestId = context?.trail[0] === 'context' ? context.requestId : undefined;
    const inHandler = context?.trail.includes('handler') ?? false;
    this.#all.push({ to, requestId, inHandler, delivery: inHandler && acrossTenants, what, parameters });
  }
}
