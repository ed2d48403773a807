export type DataPlaneMode = 'off' | 'monitor' | 'block';

/** Where the data of a corpus would be, as far as it is known. Every region is a zone already. */
export interface DataPlane {
  /** Zone of this process; undefined in single-region mode, where pins mean nothing. */
  readonly zone: string | undefined;
  /** The tenant's pin; null without one. */
  readonly pin: string | null;
  /** Zone of the vector database or of the provider, that of this process for local ones; undefined when unknown. */
  readonly at: string | undefined;
  /** The residency policy of the vector database; undefined for a corpus that names none. */
  readonly governedBy: { readonly zone: string; readonly mode: 'monitor' | 'block' } | undefined;
  /** RESIDENCY_PROVIDER_MODE, for corpora without a vector database. */
  readonly providerMode: DataPlaneMode;
}

export interface DataPlaneVerdict {
  readonly allowed: boolean;
  /** What is refused with it; what is wrong, where a provider is only monitored. */
  readonly code?: 'residency.vector_db_mismatch' | 'residency.provider_mismatch';
  /** To be opened by a use in any case, and by a change that is allowed. */
  readonly incident?: { readonly type: 'residency_breach' | 'region_unknown'; readonly severity: 'high' | 'critical' };
}

const ALLOWED: DataPlaneVerdict = { allowed: true };
const BREACH = { type: 'residency_breach', severity: 'high' } as const;

/** The table of 19 §12.3, row by row. A pin beats a policy that only monitors. */
export function dataPlaneVerdict({ zone, pin, at, governedBy, providerMode }: DataPlane): DataPlaneVerdict {
  const pinned = zone === undefined || pin === null || pin === '' ? null : pin;
  if (governedBy === undefined) return ungoverned(pinned, at, providerMode);
  const refused = { allowed: false, code: 'residency.vector_db_mismatch' } as const;
  const monitored = governedBy.mode === 'monitor';
  if (pinned !== null && governedBy.zone !== pinned) return refused;
  if (at === undefined) {
    if (pinned === null) return ALLOWED;
    return monitored ? { allowed: true, incident: { type: 'region_unknown', severity: 'high' } } : refused;
  }
  if (pinned !== null && at !== pinned) return { ...refused, incident: { ...BREACH, severity: 'critical' } };
  if (at === governedBy.zone) return ALLOWED;
  return monitored ? { allowed: true, incident: BREACH } : { ...refused, incident: BREACH };
}

/** A provider of which nobody knows where it is counts as outside. */
function ungoverned(pinned: string | null, at: string | undefined, mode: DataPlaneMode): DataPlaneVerdict {
  if (pinned === null || at === pinned || mode === 'off') return ALLOWED;
  const code = 'residency.provider_mismatch';
  return mode === 'monitor' ? { allowed: true, code, incident: BREACH } : { allowed: false, code };
}
