import { describe, expect, it } from '@jest/globals';
import { postureOf, summarize } from './posture.js';

const NOW = new Date('2026-03-01T12:00:00Z');
const SETTINGS = { rotationWarningHours: 24, rotationGraceHours: 72, vetoOnApproaching: false };
const hours = (n: number): Date => new Date(NOW.getTime() + n * 3_600_000);

type Facts = NonNullable<Parameters<typeof postureOf>[0]>;
const ACTIVE: Facts = {
  state: 'active',
  rotationDueAt: hours(1000),
  rotationRequestedAt: null,
  signatureRegistered: true,
  attestationVerifiedAt: hours(-1),
};
const ROTATING: Facts = { ...ACTIVE, state: 'rotating', rotationRequestedAt: hours(-1) };
const posture = (facts: Partial<Facts>) => postureOf({ ...ACTIVE, ...facts }, NOW, SETTINGS);

describe('the posture of a key', () => {
  it.each<[string, Partial<Facts>, string[], boolean, string | null]>([
    ['in order', {}, [], false, null],
    ['without a deadline', { rotationDueAt: null }, [], false, null],
    ['without a signature', { signatureRegistered: false }, ['attestation-signature-missing'], true, 'registration'],
    ['unverified', { attestationVerifiedAt: null }, ['attestation-unverified'], true, 'registration'],
    ['overdue by a moment', { rotationDueAt: new Date(+NOW - 1) }, ['rotation-overdue'], true, 'rotation'],
    ['due now', { rotationDueAt: NOW }, ['rotation-approaching'], false, null],
    ['due in a day', { rotationDueAt: hours(24) }, ['rotation-approaching'], false, null],
    ['due later', { rotationDueAt: new Date(+hours(24) + 1) }, [], false, null],
    ['rotating', ROTATING, ['rotation-in-progress'], false, null],
    [
      'rotating, close to its deadline',
      { ...ROTATING, rotationDueAt: hours(1) },
      ['rotation-approaching', 'rotation-in-progress'],
      false,
      null,
    ],
    [
      'rotating past its deadline',
      { ...ROTATING, rotationDueAt: hours(-1) },
      ['rotation-overdue', 'not-active'],
      true,
      'rotation',
    ],
    [
      'rotating without a deadline',
      { ...ROTATING, rotationDueAt: null, rotationRequestedAt: hours(-40) },
      ['rotation-in-progress'],
      false,
      null,
    ],
    [
      'rotating without a deadline for too long',
      { ...ROTATING, rotationDueAt: null, rotationRequestedAt: hours(-73) },
      ['rotation-overdue', 'not-active'],
      true,
      'rotation',
    ],
    ['retired', { state: 'retired', rotationDueAt: hours(-1) }, ['not-active'], true, 'activation'],
    ['compromised', { state: 'compromised', rotationDueAt: hours(-1) }, ['not-active'], true, 'activation'],
    [
      'not registered completely',
      { state: 'pending_registration', attestationVerifiedAt: null },
      ['attestation-unverified', 'not-active'],
      true,
      'activation',
    ],
  ])('%s', (_name, facts, notes, vetoed, status) => {
    const workloadStatus = status === null ? null : `pending-key-${status}`;
    expect(posture(facts)).toEqual({ notes, vetoed, workloadStatus });
  });

  it('stops workloads before the deadline where that is asked for', () => {
    const strict = postureOf({ ...ACTIVE, rotationDueAt: hours(1) }, NOW, { ...SETTINGS, vetoOnApproaching: true });
    expect(strict).toMatchObject({ notes: ['rotation-approaching'], vetoed: true });
  });

  it('that is missing stops everything', () => {
    expect(postureOf(undefined, NOW, SETTINGS)).toEqual({
      notes: ['missing'],
      vetoed: true,
      workloadStatus: 'pending-key-registration',
    });
  });
});

describe('the posture of a provider', () => {
  const of = (...keys: Facts[]) => summarize(keys, NOW, SETTINGS);

  it('is that of its newest active key', () => {
    const newest = { ...ACTIVE, rotationDueAt: hours(-1) };
    expect(of({ ...ACTIVE, state: 'retired' }, ROTATING, newest, ACTIVE)).toMatchObject({
      record: newest,
      notes: ['rotation-overdue'],
    });
  });

  it('is without an active key that of one that is usable while it rotates', () => {
    const stuck = { ...ROTATING, rotationDueAt: hours(-1) };
    expect(of({ ...ACTIVE, state: 'retired' }, stuck, ROTATING)).toMatchObject({ record: ROTATING, vetoed: false });
    expect(of({ ...ACTIVE, state: 'retired' }, stuck)).toMatchObject({ notes: ['not-active'], vetoed: true });
  });

  it('without any key is that of a missing one', () => {
    expect(of()).toMatchObject({ record: undefined, notes: ['missing'], vetoed: true });
  });
});
