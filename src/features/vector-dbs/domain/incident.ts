export const SEVERITIES = ['low', 'medium', 'high', 'critical'] as const;
export type Severity = (typeof SEVERITIES)[number];
export const INCIDENT_STATES = ['open', 'resolved'] as const;
export type IncidentState = (typeof INCIDENT_STATES)[number];

/** What the platform opens incidents for by itself. */
export type AutomaticIncidentType =
  'policy_inactive' | 'residency_breach' | 'region_unknown' | 'key_compromised' | 'key_revoked';

export interface AutomaticIncident {
  readonly type: AutomaticIncidentType;
  readonly severity: Severity;
}

/** Whether something is worse than what is known of it already, if anything is. */
export function isRaised(known: Severity | undefined, severity: Severity): boolean {
  return known === undefined || SEVERITIES.indexOf(severity) > SEVERITIES.indexOf(known);
}

/** An automatic incident that is open counts again at most this often. */
export const OCCURRENCE_INTERVAL_MS = 60_000;

/** What an incident said until then. */
export interface IncidentEvent {
  readonly event: 'opened' | 'resolved';
  readonly occurred_at: string;
  readonly actor_id: string;
  readonly summary: string | null;
  readonly notes: unknown;
}

export interface Incident {
  readonly id: string;
  readonly vectorDbId: number;
  readonly attachmentId: string | null;
  readonly incidentType: string;
  readonly severity: Severity;
  readonly automatic: boolean;
  readonly occurredAt: Date;
  readonly resolvedAt: Date | null;
  readonly resolvedBy: string | null;
  readonly summary: string | null;
  readonly notes: unknown;
  readonly history: readonly IncidentEvent[];
}
