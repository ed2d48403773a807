import { describe, expect, it } from '@jest/globals';
import {
  canDelete,
  canMove,
  canRequeue,
  DOCUMENT_MOVES,
  DOCUMENT_STATUSES,
  isInFlight,
  type DocumentMove,
} from './document-status.js';

describe('document status', () => {
  // Deleting or requeueing under a running job leaves chunks of a document that is gone, or of two generations.
  it('closes delete, overwrite and reindex exactly while a job is in flight', () => {
    for (const status of DOCUMENT_STATUSES) {
      expect(canDelete(status)).toBe(!isInFlight(status));
      expect(canRequeue(status)).toBe(!isInFlight(status));
    }
    expect(DOCUMENT_STATUSES.filter(isInFlight)).toEqual(['queued', 'processing']);
  });

  it.each<[DocumentMove, string[]]>([
    ['requeue', ['succeeded', 'failed']],
    ['start', ['queued', 'processing']],
    ['succeed', ['processing']],
    ['fail', ['queued', 'processing']],
    ['recover', ['processing']],
    ['delete', ['succeeded', 'failed']],
  ])('allows %s from %j only', (move, from) => {
    expect(DOCUMENT_STATUSES.filter((status) => canMove(status, move)).sort()).toEqual([...from].sort());
  });

  it('lets every status reach success and deletion', () => {
    const reachable = (start: string, seen = new Set([start])): Set<string> => {
      for (const { from, to } of Object.values(DOCUMENT_MOVES)) {
        if ((from as readonly string[]).includes(start) && !seen.has(to)) reachable(to, seen.add(to));
      }
      return seen;
    };
    for (const status of DOCUMENT_STATUSES) {
      expect([...reachable(status)]).toEqual(expect.arrayContaining(['succeeded', 'deleted']));
    }
  });
});
