/** `processing` includes the pause between two attempts. */
export const DOCUMENT_STATUSES = ['queued', 'processing', 'succeeded', 'failed'] as const;
export type DocumentStatus = (typeof DOCUMENT_STATUSES)[number];

interface Move {
  readonly from: readonly DocumentStatus[];
  readonly to: DocumentStatus | 'deleted';
}

/**
 * The whole life of a document. `from` is also the compare-and-set condition of the update that makes the move, so a
 * move that lost a race changes nothing.
 */
export const DOCUMENT_MOVES = {
  /** Overwrite or reindex. */
  requeue: { from: ['succeeded', 'failed'], to: 'queued' },
  /** First attempt, or a later one. */
  start: { from: ['queued', 'processing'], to: 'processing' },
  succeed: { from: ['processing'], to: 'succeeded' },
  /** Out of attempts, or the queue refused the job. */
  fail: { from: ['queued', 'processing'], to: 'failed' },
  /** The worker died: its job is given out again. */
  recover: { from: ['processing'], to: 'queued' },
  delete: { from: ['succeeded', 'failed'], to: 'deleted' },
} as const satisfies Record<string, Move>;

export type DocumentMove = keyof typeof DOCUMENT_MOVES;

/** Whether a document in this status may make the move. */
export function canMove(status: DocumentStatus, move: DocumentMove): boolean {
  const { from }: Move = DOCUMENT_MOVES[move];
  return from.includes(status);
}

export function canDelete(status: DocumentStatus): boolean {
  return canMove(status, 'delete');
}

/** Whether overwrite and reindex are open. */
export function canRequeue(status: DocumentStatus): boolean {
  return canMove(status, 'requeue');
}

/** A job is due or running; the outcome is still to come. */
export function isInFlight(status: DocumentStatus): boolean {
  return status === 'queued' || status === 'processing';
}
