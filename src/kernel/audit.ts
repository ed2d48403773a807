/**
 * Audit events are declared beside the feature that emits them. Metadata holds identifiers, counts and settings,
 * never content, credentials or messages; the writer redacts what slips through.
 */
export interface AuditEventSpec {
  readonly description: string;
  /** Keys that the metadata may carry. */
  readonly metadata: readonly string[];
  /**
   * `transactional`: written with the change it records, or neither is.
   * `access`: buffered; a busy or failing database never slows or fails the request.
   */
  readonly delivery: 'transactional' | 'access';
}

export type AuditEventSet = Readonly<Record<string, AuditEventSpec>>;

export function defineAuditEvents<const T extends AuditEventSet>(events: T): T {
  return events;
}

export interface AuditEntry {
  readonly event: string;
  readonly outcome: 'success' | 'failure';
  readonly resourceType?: string;
  readonly resourceId?: string;
  readonly errorCode?: string;
  readonly metadata?: Readonly<Record<string, unknown>>;
  /** Overrides the context's actor, for events about someone who is not (yet) authenticated. */
  readonly actor?: {
    readonly type: string;
    readonly id?: string;
    readonly role?: string;
    readonly tenantId?: string;
    readonly subjectId?: string;
  };
}

/** Port: features write audit entries through it; the audit feature implements it. */
export abstract class AuditTrail {
  /** Writes in the current transaction, in one statement; throws outside one. For `transactional` events. */
  abstract record(...entries: readonly AuditEntry[]): Promise<void>;
  /** Buffers and returns at once; never throws. For `access` events. */
  abstract note(entry: AuditEntry): void;
}
