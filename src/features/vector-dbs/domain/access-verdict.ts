import type { PolicyDecision } from '../../../kernel/policy-decision.js';
import type { AutomaticIncident } from './incident.js';
import type { EnforcementMode } from './residency-policy.js';

/** The key that a corpus is attached with. */
export interface KeyPosture {
  readonly keyId: string;
  readonly state: string;
  readonly bindingRevoked: boolean;
  readonly notes: readonly string[];
  readonly vetoed: boolean;
  readonly workloadStatus: string | null;
}

/** What is known of the attachment of a corpus to its vector database. */
export interface AccessFacts {
  readonly policy: { readonly id: number; readonly mode: EnforcementMode; readonly active: boolean };
  /** What the table of data-plane regions says of it. */
  readonly residency: {
    readonly allowed: boolean;
    readonly incident?: AutomaticIncident;
  };
  readonly key: KeyPosture;
  /** Whether a key that is not sound keeps the workload from being served. */
  readonly keyRequired: boolean;
}

export interface AccessVerdict {
  /** Undefined when the workload is served. */
  readonly refusal?: 'RESIDENCY_POLICY_INACTIVE' | 'residency.vector_db_mismatch' | 'BYOK_POSTURE_VETO';
  /** To be open, whether it is served or not. */
  readonly incidents: readonly AutomaticIncident[];
  readonly decisions: readonly PolicyDecision[];
  /** Of the key, as consoles show them. */
  readonly notes: readonly string[];
}

/** The table of 18 §10: first the row that always refuses, then row by row until one does. */
export function accessVerdict({ policy, residency, key, keyRequired }: AccessFacts): AccessVerdict {
  const policyId = String(policy.id);
  const incidents: AutomaticIncident[] = [];
  const decisions: PolicyDecision[] = [];
  const notes = keyNotes(key, keyRequired);
  const refuse = (engine: 'vector_db' | 'byok', refusal: NonNullable<AccessVerdict['refusal']>): AccessVerdict => {
    const by = engine === 'byok' ? key.keyId : policyId;
    decisions.push({ engine, policyId: by, effect: 'deny', code: refusal });
    return { refusal, incidents, decisions, notes };
  };
  if (key.state === 'compromised' || key.bindingRevoked) {
    incidents.push({ type: 'key_compromised', severity: 'critical' });
    return refuse('byok', 'BYOK_POSTURE_VETO');
  }
  if (!policy.active) {
    if (policy.mode === 'block') return refuse('vector_db', 'RESIDENCY_POLICY_INACTIVE');
    incidents.push({ type: 'policy_inactive', severity: 'medium' });
  }
  if (residency.incident !== undefined) incidents.push(residency.incident);
  if (!residency.allowed) return refuse('vector_db', 'residency.vector_db_mismatch');
  decisions.push(
    ...incidents.map(({ type }) => ({ engine: 'vector_db', policyId, effect: 'note', code: type }) as const),
  );
  if (incidents.length === 0) decisions.push({ engine: 'vector_db', policyId, effect: 'allow' });
  if (key.vetoed && keyRequired) return refuse('byok', 'BYOK_POSTURE_VETO');
  const [note] = key.notes;
  decisions.push({
    engine: 'byok',
    policyId: key.keyId,
    effect: note === undefined ? 'allow' : 'note',
    ...(note === undefined ? {} : { code: note }),
  });
  return { incidents, decisions, notes };
}

/** With the prefix that tells them from those of other rules. */
export function keyNotes({ notes, vetoed }: Pick<KeyPosture, 'notes' | 'vetoed'>, required?: boolean): string[] {
  const standing = required === undefined ? [] : required ? (vetoed ? [] : ['healthy']) : ['optional'];
  return [...notes, ...standing].map((note) => `provider-key:${note}`);
}
