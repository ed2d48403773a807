import { describe, expect, it } from '@jest/globals';
import { isEnded, MIGRATION_STATES, nextState, type MigrationState } from './migration.js';

describe('a migration', () => {
  it('goes through its states in their order, and ends', () => {
    const way: MigrationState[] = ['planned'];
    for (let at: MigrationState | undefined = 'planned'; at !== undefined;) {
      at = nextState(at, 'advance');
      if (at !== undefined) way.push(at);
    }
    expect(way).toEqual(MIGRATION_STATES.slice(0, 8));
    expect(nextState('cooldown', 'purge')).toBe('purged');
  });

  it('can be given up before the cutover and not after', () => {
    const given = MIGRATION_STATES.filter((state) => nextState(state, 'abort') !== undefined);
    expect(given).toEqual(MIGRATION_STATES.slice(0, 6));
  });

  it('leaves no end', () => {
    expect(MIGRATION_STATES.filter(isEnded)).toEqual(['purged', 'aborted']);
    for (const step of ['advance', 'abort', 'purge'] as const) {
      expect([nextState('purged', step), nextState('aborted', step)]).toEqual([undefined, undefined]);
    }
  });

  it('is purged only out of the cooldown', () => {
    expect(MIGRATION_STATES.filter((state) => nextState(state, 'purge') !== undefined)).toEqual(['cooldown']);
  });
});
