import type { ReadinessCheck } from '../features/ops/index.js';
import { residencySettings, TenantConfigsRepository } from '../features/residency/index.js';
import { Migrator } from '../platform/db/index.js';
import type { Infrastructure } from './infrastructure.js';

/** What a process needs in order to serve. Faults name the part, never an address. */
export function readinessChecks({ blobs, database, queue, settings, state, uow }: Infrastructure): ReadinessCheck[] {
  const reachable = (name: string, ping: () => Promise<unknown>): ReadinessCheck => ({
    name,
    check: () =>
      ping().then(
        () => undefined,
        () => 'unreachable',
      ),
  });
  return [
    reachable('database', () => database.dataSource.query('SELECT 1')),
    {
      name: 'migrations',
      check: async () => {
        const pending = await new Migrator(database.dataSource).pending().catch(() => undefined);
        if (pending === undefined) return 'unknown';
        return pending.length === 0 ? undefined : `${pending.length} pending: run nexusrag migrate up`;
      },
    },
    reachable('shared_state', () => state.ping()),
    reachable('queue', () => queue.ping()),
    reachable('documents', () => blobs.ping()),
    {
      name: 'residency',
      isWarning: true,
      check: async () => {
        if (settings.get(residencySettings).region !== undefined) return undefined;
        const pinned = await new TenantConfigsRepository(uow).anyPin().catch(() => false);
        return pinned ? 'RESIDENCY_DISABLED_WITH_PINS' : undefined;
      },
    },
  ];
}
