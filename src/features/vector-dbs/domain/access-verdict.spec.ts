import { describe, expect, it } from '@jest/globals';
import { accessVerdict, type AccessFacts } from './access-verdict.js';

const SOUND: AccessFacts = {
  policy: { id: 7, mode: 'monitor', active: true },
  residency: { allowed: true },
  key: { keyId: 'k', state: 'active', bindingRevoked: false, notes: [], vetoed: false, workloadStatus: null },
  keyRequired: false,
};
const INACTIVE = { ...SOUND.policy, active: false };
const OVERDUE = { ...SOUND.key, notes: ['rotation-overdue'], vetoed: true };
const BREACH = { type: 'residency_breach', severity: 'high' } as const;

const facts = (changed: Partial<AccessFacts>): AccessFacts => ({ ...SOUND, ...changed });

describe('accessVerdict', () => {
  it('serves what is sound, and says which rules said so', () => {
    expect(accessVerdict(SOUND)).toEqual({
      incidents: [],
      notes: ['provider-key:optional'],
      decisions: [
        { engine: 'vector_db', policyId: '7', effect: 'allow' },
        { engine: 'byok', policyId: 'k', effect: 'allow' },
      ],
    });
  });

  it.each<[name: string, changed: Partial<AccessFacts>, refusal: string | undefined, incidents: string[]]>([
    ['inactive, monitored', { policy: INACTIVE }, undefined, ['policy_inactive']],
    ['inactive, blocked', { policy: { ...INACTIVE, mode: 'block' } }, 'RESIDENCY_POLICY_INACTIVE', []],
    ['elsewhere, monitored', { residency: { allowed: true, incident: BREACH } }, undefined, ['residency_breach']],
    [
      'elsewhere, blocked',
      { residency: { allowed: false, incident: BREACH } },
      'residency.vector_db_mismatch',
      ['residency_breach'],
    ],
    ['pinned elsewhere', { residency: { allowed: false } }, 'residency.vector_db_mismatch', []],
    [
      'compromised, not required',
      { key: { ...SOUND.key, state: 'compromised', vetoed: true } },
      'BYOK_POSTURE_VETO',
      ['key_compromised'],
    ],
    ['binding revoked', { key: { ...SOUND.key, bindingRevoked: true } }, 'BYOK_POSTURE_VETO', ['key_compromised']],
    [
      'compromised and inactive, blocked',
      { key: { ...SOUND.key, state: 'compromised' }, policy: { ...INACTIVE, mode: 'block' } },
      'BYOK_POSTURE_VETO',
      ['key_compromised'],
    ],
    ['overdue, not required', { key: OVERDUE }, undefined, []],
    ['overdue, required', { key: OVERDUE, keyRequired: true }, 'BYOK_POSTURE_VETO', []],
    [
      'inactive and elsewhere, monitored',
      { policy: INACTIVE, residency: { allowed: true, incident: BREACH } },
      undefined,
      ['policy_inactive', 'residency_breach'],
    ],
  ])('%s', (_name, changed, refusal, incidents) => {
    const verdict = accessVerdict(facts(changed));
    expect([verdict.refusal, verdict.incidents.map(({ type }) => type)]).toEqual([refusal, incidents]);
    const denied = verdict.decisions.filter(({ effect }) => effect === 'deny').map(({ code }) => code);
    expect(denied).toEqual(refusal === undefined ? [] : [refusal]);
  });

  it('notes what is wrong with a key that nobody requires', () => {
    const { decisions, notes } = accessVerdict(facts({ key: OVERDUE }));
    expect(decisions).toContainEqual({ engine: 'byok', policyId: 'k', effect: 'note', code: 'rotation-overdue' });
    expect(notes).toEqual(['provider-key:rotation-overdue', 'provider-key:optional']);
  });
});
