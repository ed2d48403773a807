import { isUsable } from './key-state.js';
import type { BindingPosture } from './binding.js';
import type { ProviderKey } from './provider-key.js';

const HOUR_MS = 3_600_000;

export interface PostureSettings {
  readonly rotationWarningHours: number;
  readonly rotationGraceHours: number;
  readonly vetoOnApproaching: boolean;
}

type KeyFacts = Pick<
  ProviderKey,
  'state' | 'rotationDueAt' | 'rotationRequestedAt' | 'signatureRegistered' | 'attestationVerifiedAt'
>;

export type Posture = Pick<BindingPosture, 'notes' | 'vetoed' | 'workloadStatus'>;

const HARMLESS = ['rotation-in-progress', 'rotation-approaching'];

/** What a key, or the lack of one, lets a workload do at a moment. */
export function postureOf(key: KeyFacts | undefined, now: Date, settings: PostureSettings): Posture {
  const notes = key === undefined ? ['missing'] : notesOf(key, now.getTime(), settings);
  const vetoed = notes.some(
    (note) => !HARMLESS.includes(note) || (note === 'rotation-approaching' && settings.vetoOnApproaching),
  );
  return { notes, vetoed, workloadStatus: vetoed ? workloadStatus(notes) : null };
}

function notesOf(key: KeyFacts, now: number, settings: PostureSettings): string[] {
  const until = endOf(key, settings);
  const overdue = isUsable(key.state) && until < now;
  const approaching = isUsable(key.state) && !overdue && until <= now + settings.rotationWarningHours * HOUR_MS;
  const rotating = key.state === 'rotating';
  return [
    ...(key.signatureRegistered ? [] : ['attestation-signature-missing']),
    ...(overdue ? ['rotation-overdue'] : []),
    ...(approaching ? ['rotation-approaching'] : []),
    ...(key.attestationVerifiedAt === null ? ['attestation-unverified'] : []),
    ...(rotating && !overdue ? ['rotation-in-progress'] : []),
    ...(!isUsable(key.state) || (rotating && overdue) ? ['not-active'] : []),
  ];
}

/** When the key has to be rotated; a rotation that nobody approves does not keep one without a deadline for ever. */
function endOf(
  { state, rotationDueAt, rotationRequestedAt }: KeyFacts,
  { rotationGraceHours }: PostureSettings,
): number {
  if (rotationDueAt !== null) return rotationDueAt.getTime();
  if (state !== 'rotating' || rotationRequestedAt === null) return Infinity;
  return rotationRequestedAt.getTime() + rotationGraceHours * HOUR_MS;
}

function workloadStatus(notes: readonly string[]): Posture['workloadStatus'] {
  if (notes.includes('rotation-overdue')) return 'pending-key-rotation';
  return notes.includes('not-active') ? 'pending-key-activation' : 'pending-key-registration';
}

export interface ProviderPosture<K> extends Posture {
  /** The key that counts for the provider. */
  readonly record: K | undefined;
}

/**
 * Of all keys of a provider the newest active one counts; without one, the newest that is usable while it rotates, and
 * without that the newest.
 *
 * @param newestFirst at least the newest key of each state.
 */
export function summarize<K extends KeyFacts>(
  newestFirst: readonly K[],
  now: Date,
  settings: PostureSettings,
): ProviderPosture<K> {
  const usable = (key: K): boolean =>
    key.state === 'rotating' && !notesOf(key, now.getTime(), settings).includes('not-active');
  const record = newestFirst.find(({ state }) => state === 'active') ?? newestFirst.find(usable) ?? newestFirst[0];
  return { record, ...postureOf(record, now, settings) };
}
