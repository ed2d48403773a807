export const ATTACHMENT_TYPES = ['embedding', 'semantic', 'assistant', 'corpus'] as const;
export type AttachmentType = (typeof ATTACHMENT_TYPES)[number];
export const ATTACHMENT_STATES = ['active', 'detached'] as const;
export type AttachmentState = (typeof ATTACHMENT_STATES)[number];

const DETACHED_BY_OPERATOR = 'Detached by operator';
export const VECTOR_DB_DELETED = 'Vector DB deleted';
export const CORPUS_DELETED = 'Corpus deleted';

/** A workload that may use a vector database, under a residency policy and with a customer's key. */
export interface Attachment {
  readonly id: string;
  readonly vectorDbId: number;
  readonly type: AttachmentType;
  /** Of a corpus its id, of anything else a UUID. */
  readonly ref: string;
  readonly policyId: number;
  readonly bindingId: string;
  /** Whether the binding was made for this vector database. */
  readonly bindingNamesDb: boolean;
  readonly attachedAt: Date;
  readonly detachedAt: Date | null;
  readonly detachedReason: string | null;
  readonly metadata: unknown;
}

/** Whether a binding was made for this vector database, or for all. */
export function namesDb(
  binding: { readonly targetId: string; readonly scope: Readonly<Record<string, unknown>> },
  uid: string,
): boolean {
  return binding.targetId === uid || binding.scope['vector_db'] === '*';
}

/** A reason that says nothing is none. */
export function detachReason(given: string | null | undefined): string {
  return given == null || given.trim() === '' ? DETACHED_BY_OPERATOR : given;
}
