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
] as const;

export type MigrationState = (typeof MIGRATION_STATES)[number];

/** What an operator asks for, and the one thing that happens by itself: the tenant was purged here. */
export type MigrationStep = 'advance' | 'abort' | 'purge';

/** Until the cutover a migration can be given up. Afterwards the way back is to pin the tenant here again. */
const NEXT: Readonly<Record<MigrationState, Partial<Record<MigrationStep, MigrationState>>>> = {
  planned: { advance: 'exporting', abort: 'aborted' },
  exporting: { advance: 'importing', abort: 'aborted' },
  importing: { advance: 'verifying', abort: 'aborted' },
  verifying: { advance: 'frozen', abort: 'aborted' },
  frozen: { advance: 'delta_sync', abort: 'aborted' },
  delta_sync: { advance: 'cutover', abort: 'aborted' },
  cutover: { advance: 'cooldown' },
  cooldown: { purge: 'purged' },
  purged: {},
  aborted: {},
};

/** Undefined when the step is not possible. */
export function nextState(state: MigrationState, step: MigrationStep): MigrationState | undefined {
  return NEXT[state][step];
}

export function isEnded(state: MigrationState): boolean {
  return Object.keys(NEXT[state]).length === 0;
}
