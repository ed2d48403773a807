import { describe, expect, it } from '@jest/globals';
import { Residency, TenantConfigs } from '../../residency/index.js';
import type { Move } from '../domain/move.js';
import { MigrationConditions } from './migration-conditions.js';
import { MigrationSteps } from './migration-steps.js';
import { PurgeConditions } from './purge-conditions.js';
import { TenantPins } from './tenant-pins.js';

const NONE = {} as never;
const pins = new TenantPins({} as TenantConfigs, { zone: undefined } as Residency);
const steps = new MigrationSteps(NONE, NONE, NONE, new MigrationConditions(NONE, NONE, NONE, NONE, pins, NONE), NONE);

// It serves every tenant, wherever they are pinned to: a pin elsewhere does not mean that nobody works with them here.
describe('a process of no region', () => {
  it('purges nobody', async () => {
    await expect(new PurgeConditions(NONE, NONE, NONE, pins, NONE).require('t')).rejects.toThrow('STATEWAVE_REGION');
  });

  it.each(['cutover', 'cooldown'] as const)('takes no migration to its %s', async (state) => {
    await expect(steps.prepare({} as Move, state, {})).rejects.toThrow('STATEWAVE_REGION');
  });
});
