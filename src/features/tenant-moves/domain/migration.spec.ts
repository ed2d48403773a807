import { describe, expect, it } from '@jest/globals';
import { isEnded, MIGRATION_STATES, nextState, type MigrationState } from './migration.js';

const BEFORE_CUTOVER = MIGRATION_STATES.slice(0, 6);

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

  it('can be given up before the cutover, and taken back from then on until the purge', () => {
    const to = (end: MigrationState) => MIGRATION_STATES.filter((state) => nextState(state, 'abort') === end);
    expect(to('aborted')).toEqual([...BEFORE_CUTOVER, 'aborted']);
    expect(to('rolled_back')).toEqual(['cutover', 'cooldown', 'rolled_back']);
  });

  it('leaves no end', () => {
    const ends = MIGRATION_STATES.filter(isEnded);
    expect(ends).toEqual(['purged', 'aborted', 'rolled_back']);
    const out = ends.flatMap((end) => (['advance', 'abort', 'purge'] as const).map((step) => nextState(end, step)));
    expect(out.filter((state) => state !== undefined)).toEqual(['aborted', 'rolled_back']);
  });

  it('is purged only out of the cooldown', () => {
    expect(MIGRATION_STATES.filter((state) => nextState(state, 'purge') !== undefined)).toEqual(['cooldown']);
  });
});
