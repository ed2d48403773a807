import { describe, expect, it } from '@jest/globals';
import { isUsable, keyStateOf, nextState, type KeyAction } from './key-state.js';
import type { KeyState } from './binding.js';

const STATES: KeyState[] = ['pending_registration', 'active', 'rotating', 'retired', 'compromised'];

describe('a key', () => {
  it.each<[KeyAction, ...(KeyState | undefined)[]]>([
    ['activate', 'active', undefined, undefined, undefined, undefined],
    ['request_rotation', undefined, 'rotating', undefined, undefined, undefined],
    ['approve_rotation', undefined, undefined, 'active', undefined, undefined],
    ['reject_rotation', undefined, undefined, 'active', undefined, undefined],
    ['retire', 'retired', 'retired', 'retired', undefined, undefined],
    ['compromise', 'compromised', 'compromised', 'compromised', 'compromised', undefined],
  ])('%s leads to %s, %s, %s, %s and %s', (action, ...expected) => {
    expect(STATES.map((state) => nextState(state, action))).toEqual(expected);
  });

  it('is usable while it is active or rotating', () => {
    expect(STATES.filter(isUsable)).toEqual(['active', 'rotating']);
  });

  it('of a state that nobody knows lets nothing happen', () => {
    expect([...STATES, 'unheard_of', 'constructor', ''].map(keyStateOf)).toEqual([
      ...STATES,
      'pending_registration',
      'pending_registration',
      'pending_registration',
    ]);
  });
});
