import { describe, expect, it } from '@jest/globals';
import type { SelectedEntry } from './receipt-body.js';
import { replayDiff, type Compared } from './replay-diff.js';

const entry = (chunk_id: string | null, rank: number, more: Partial<SelectedEntry> = {}): SelectedEntry =>
  ({
    chunk_id,
    rank,
    score: '0.500000',
    content_sha256: `h-${chunk_id}`,
    external_ref: null,
    ...more,
  }) as SelectedEntry;
const filter = (rule_id: string, chunk_id: string) =>
  ({ rule_id, chunk_id, action: 'deny', matched_labels: [] }) as const;

function body(
  entries: readonly SelectedEntry[],
  more: { hash?: string; model?: string; filters?: object[] } = {},
): Compared {
  return {
    selected_entries: entries,
    output: { context_hash: more.hash ?? 'c' },
    model: { embedding_model: more.model ?? 'm' },
    retrieval: { provider: 'local_pgvector', top_k_effective: 5 },
    policy: { filters_applied: more.filters ?? [] },
  } as unknown as Compared;
}

describe('what differs between a receipt and its replay', () => {
  it('is nothing for the same', () => {
    const same = body([entry('a', 1), entry('b', 2)]);
    expect(replayDiff(same, same)).toMatchObject({ changed: [], drift_class: 'none', selected_entries: { common: 2 } });
  });

  it('is told in the order of ranks, whatever order the entries are in', () => {
    const before = body([entry('a', 1), entry('b', 2), entry('c', 3)]);
    const after = [entry('d', 3), entry('a', 2), entry('e', 1)];
    const diff = replayDiff(before, body(after));
    expect(diff.selected_entries.added.map(({ chunk_id }) => chunk_id)).toEqual(['e', 'd']);
    expect(diff.selected_entries.removed.map(({ chunk_id }) => chunk_id)).toEqual(['b', 'c']);
    expect(diff.changed).toEqual([
      { chunk_id: 'a', rank_from: 1, rank_to: 2, score_from: '0.500000', score_to: '0.500000', content_changed: false },
    ]);
    expect(replayDiff(before, body([...after].reverse()))).toEqual(diff);
    expect(diff.drift_class).toBe('data');
  });

  it('is code when texts are the same and yet put otherwise, or by another model, and mixed with both', () => {
    const same = [entry('a', 1)];
    expect(replayDiff(body(same), body(same, { hash: 'd' })).drift_class).toBe('code');
    expect(replayDiff(body(same), body(same, { model: 'n' })).drift_class).toBe('code');
    const other = [entry('a', 1, { content_sha256: 'x' })];
    expect(replayDiff(body(same), body(other, { hash: 'd' })).drift_class).toBe('data');
    expect(replayDiff(body(same), body(other, { hash: 'd', model: 'n' })).drift_class).toBe('mixed');
  });

  it('knows texts of other providers by place and content', () => {
    const at = (uri: string, text: string): SelectedEntry =>
      entry(null, 1, { content_sha256: text, external_ref: { provider: 'p', uri, native_id: null } });
    expect(replayDiff(body([at('u', 't')]), body([at('u', 't')])).drift_class).toBe('none');
    expect(replayDiff(body([at('u', 't')]), body([at('u', 'other')])).selected_entries).toMatchObject({ common: 0 });
  });

  it('has filters that fit once, by rule, text and action', () => {
    const before = body([], { filters: [filter('r1', 'a'), filter('r2', 'b')] });
    const after = body([], { filters: [filter('r2', 'b'), filter('r3', 'a')] });
    expect(replayDiff(before, after).filters_applied).toEqual({
      added: [filter('r3', 'a')],
      removed: [filter('r1', 'a')],
    });
  });
});
