export const MIGRATION_STATES = [
  'planned',
  'exporting',
  'importing',
  'verifying',
  'frozen',
  'delta_sync',
  'cutover',
  'cooldown',
  'purged',
  'aborted',
  'rolled_back',
] as const;

export type MigrationState = (typeof MIGRATION_STATES)[number];

/** What an operator asks for, and the one thing that happens by itself: the tenant was purged here. */
export type MigrationStep = 'advance' | 'abort' | 'purge';

/** In which the tenant is read and not changed. */
export const FROZEN_STATES: readonly MigrationState[] = ['frozen', 'delta_sync', 'cutover'];

/** Until the cutover a migration can be given up. Afterwards the tenant must be pinned here again first. */
const NEXT: Readonly<Record<MigrationState, Partial<Record<MigrationStep, MigrationState>>>> = {
  planned: { advance: 'exporting', abort: 'aborted' },
  exporting: { advance: 'importing', abort: 'aborted' },
  importing: { advance: 'verifying', abort: 'aborted' },
  verifying: { advance: 'frozen', abort: 'aborted' },
  frozen: { advance: 'delta_sync', abort: 'aborted' },
  delta_sync: { advance: 'cutover', abort: 'aborted' },
  cutover: { advance: 'cooldown', abort: 'rolled_back' },
  cooldown: { purge: 'purged', abort: 'rolled_back' },
  purged: {},
  // Said again, it is as it was.
  aborted: { abort: 'aborted' },
  rolled_back: { abort: 'rolled_back' },
};

/** Undefined when the step is not possible. */
export function nextState(state: MigrationState, step: MigrationStep): MigrationState | undefined {
  return NEXT[state][step];
}

export function isEnded(state: MigrationState): boolean {
  return ['purged', 'aborted', 'rolled_back'].includes(state);
}
