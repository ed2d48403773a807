import { describe, expect, it } from '@jest/globals';
import { dataPlaneVerdict, type DataPlane, type DataPlaneVerdict } from './data-plane.js';

const PLANE: DataPlane = { zone: 'eu', pin: null, at: 'eu', governedBy: undefined, providerMode: 'block' };

const MONITOR = { zone: 'eu', mode: 'monitor' } as const;
const BLOCK = { zone: 'eu', mode: 'block' } as const;
const ok: DataPlaneVerdict = { allowed: true };
const refused: DataPlaneVerdict = { allowed: false, code: 'residency.vector_db_mismatch' };
const high = { type: 'residency_breach', severity: 'high' } as const;
const critical = { type: 'residency_breach', severity: 'critical' } as const;
const unknown = { type: 'region_unknown', severity: 'high' } as const;
const provider = 'residency.provider_mismatch';

/** 19 §12.3; row 11 is decided by 18 §10, row 12 is rows 5 to 9 asked again. */
const ROWS: readonly [row: string, plane: Partial<DataPlane>, verdict: DataPlaneVerdict][] = [
  ['1, no pin, ungoverned, local', {}, ok],
  ['1, no pin, ungoverned, elsewhere', { at: 'us' }, ok],
  ['1, no pin, ungoverned, unknown', { at: undefined }, ok],
  ['2, monitor', { governedBy: MONITOR }, ok],
  ['2, block', { governedBy: BLOCK }, ok],
  ['2, policy and database elsewhere', { governedBy: { zone: 'us', mode: 'block' }, at: 'us' }, ok],
  ['3', { governedBy: MONITOR, at: 'us' }, { allowed: true, incident: high }],
  ['4', { governedBy: BLOCK, at: 'us' }, { ...refused, incident: high }],
  ['5, monitor', { pin: 'eu', governedBy: { zone: 'us', mode: 'monitor' } }, refused],
  ['5, block', { pin: 'eu', governedBy: { zone: 'us', mode: 'block' } }, refused],
  ['5, whatever the database', { pin: 'eu', governedBy: { zone: 'us', mode: 'monitor' }, at: 'us' }, refused],
  ['6, monitor', { pin: 'eu', governedBy: MONITOR }, ok],
  ['6, block', { pin: 'eu', governedBy: BLOCK }, ok],
  ['7, monitor', { pin: 'eu', governedBy: MONITOR, at: 'us' }, { ...refused, incident: critical }],
  ['7, block', { pin: 'eu', governedBy: BLOCK, at: 'us' }, { ...refused, incident: critical }],
  ['8, monitor', { pin: 'eu', governedBy: MONITOR, at: undefined }, { allowed: true, incident: unknown }],
  ['8, block', { pin: 'eu', governedBy: BLOCK, at: undefined }, refused],
  ['9, off', { pin: 'eu', at: 'us', providerMode: 'off' }, ok],
  ['9, monitor', { pin: 'eu', at: 'us', providerMode: 'monitor' }, { allowed: true, code: provider, incident: high }],
  ['9, block', { pin: 'eu', at: 'us' }, { allowed: false, code: provider }],
  ['9, unknown', { pin: 'eu', at: undefined }, { allowed: false, code: provider }],
  ['10', { pin: 'eu' }, ok],
  ['(d), no zone: the pin means nothing', { zone: undefined, pin: 'us', at: 'us' }, ok],
  [
    '(d), no zone: policies still apply',
    { zone: undefined, pin: 'us', governedBy: BLOCK, at: 'us' },
    { ...refused, incident: high },
  ],
  ['an empty pin is none', { pin: '', at: 'us' }, ok],
];

describe('the data plane', () => {
  it.each(ROWS)('row %s', (_row, plane, verdict) => {
    expect(dataPlaneVerdict({ ...PLANE, ...plane })).toEqual(verdict);
  });
});
