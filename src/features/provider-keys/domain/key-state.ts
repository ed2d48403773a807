import type { KeyState } from './binding.js';

export type KeyAction =
  'activate' | 'request_rotation' | 'approve_rotation' | 'reject_rotation' | 'retire' | 'compromise';

const NEXT: Readonly<Record<KeyState, Partial<Record<KeyAction, KeyState>>>> = {
  pending_registration: { activate: 'active', retire: 'retired', compromise: 'compromised' },
  active: { request_rotation: 'rotating', retire: 'retired', compromise: 'compromised' },
  rotating: {
    approve_rotation: 'active',
    reject_rotation: 'active',
    retire: 'retired',
    compromise: 'compromised',
  },
  retired: { compromise: 'compromised' },
  compromised: {},
};

/** Undefined when a key in this state cannot do that. */
export function nextState(state: KeyState, action: KeyAction): KeyState | undefined {
  return NEXT[state][action];
}

/** A state that nobody knows is that of a key that lets nothing happen yet. */
export function keyStateOf(stored: string): KeyState {
  return Object.hasOwn(NEXT, stored) ? (stored as KeyState) : 'pending_registration';
}

/** Whether something new may rely on the key. */
export function isUsable(state: KeyState): boolean {
  return state === 'active' || state === 'rotating';
}
