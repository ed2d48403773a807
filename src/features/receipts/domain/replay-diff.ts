import type { AppliedFilter, ReceiptBody, SelectedEntry } from './receipt-body.js';

/** What a replay is compared by. */
export type Compared = Pick<ReceiptBody, 'selected_entries' | 'output' | 'model' | 'retrieval' | 'policy'>;

interface Pair<T> {
  readonly original: T;
  readonly replay: T;
}

export interface ChangedEntry {
  readonly chunk_id: string | null;
  readonly rank_from: number;
  readonly rank_to: number;
  readonly score_from: string;
  readonly score_to: string;
  readonly content_changed: boolean;
}

export interface ReplayDiff {
  readonly context_hash: Pair<string> & { readonly changed: boolean };
  readonly selected_entries: {
    readonly added: readonly SelectedEntry[];
    readonly removed: readonly SelectedEntry[];
    readonly common: number;
  };
  readonly filters_applied: { readonly added: readonly AppliedFilter[]; readonly removed: readonly AppliedFilter[] };
  /** Entries of both whose rank, score or text differs. */
  readonly changed: readonly ChangedEntry[];
  readonly environment: {
    readonly embedding_model: Pair<string | null>;
    readonly provider: Pair<string>;
    readonly top_k: Pair<number>;
  };
  /** `data` when other texts were found, or filters fitted; `code` when they are the same and yet put otherwise, or by another model. */
  readonly drift_class: 'none' | 'data' | 'code' | 'mixed';
}

/** The same for the same two bodies, whatever order anything was read in. */
export function replayDiff(original: Compared, replay: Compared): ReplayDiff {
  const pair = <T>(of: (body: Compared) => T): Pair<T> => ({ original: of(original), replay: of(replay) });
  const [before, after] = [byKey(original.selected_entries), byKey(replay.selected_entries)];
  const added = [...after].filter(([key]) => !before.has(key)).map(([, entry]) => entry);
  const removed = [...before].filter(([key]) => !after.has(key)).map(([, entry]) => entry);
  const common = [...before].flatMap(([key, from]) => {
    const to = after.get(key);
    return to === undefined ? [] : [{ from, to }];
  });
  const changed = common.map(({ from, to }) => changeOf(from, to)).filter((change) => change !== undefined);
  const filters = {
    added: filtersMissing(replay, original),
    removed: filtersMissing(original, replay),
  };
  const hash = pair(({ output }) => output.context_hash);
  const environment = {
    embedding_model: pair(({ model }) => model.embedding_model),
    provider: pair(({ retrieval }) => retrieval.provider),
    top_k: pair(({ retrieval }) => retrieval.top_k_effective),
  };
  const otherData = [added, removed, changed, filters.added, filters.removed].some((list) => list.length > 0);
  const contextChanged = hash.original !== hash.replay;
  const otherCode =
    Object.values(environment).some((of) => of.original !== of.replay) || (contextChanged && !otherData);
  return {
    context_hash: { ...hash, changed: contextChanged },
    selected_entries: { added: ranked(added), removed: ranked(removed), common: common.length },
    filters_applied: filters,
    changed: changed.sort((a, b) => a.rank_from - b.rank_from),
    environment,
    drift_class: otherData ? (otherCode ? 'mixed' : 'data') : otherCode ? 'code' : 'none',
  };
}

/** Texts of providers outside the platform have no id of ours: they are the same when place and text are. */
function byKey(entries: readonly SelectedEntry[]): Map<string, SelectedEntry> {
  return new Map(
    entries.map((entry) => [entry.chunk_id ?? `${entry.external_ref?.uri ?? ''}\n${entry.content_sha256}`, entry]),
  );
}

function changeOf(from: SelectedEntry, to: SelectedEntry): ChangedEntry | undefined {
  const contentChanged = from.content_sha256 !== to.content_sha256;
  if (!contentChanged && from.rank === to.rank && from.score === to.score) return undefined;
  return {
    chunk_id: from.chunk_id,
    rank_from: from.rank,
    rank_to: to.rank,
    score_from: from.score,
    score_to: to.score,
    content_changed: contentChanged,
  };
}

function ranked(entries: readonly SelectedEntry[]): SelectedEntry[] {
  return [...entries].sort((a, b) => a.rank - b.rank || compare(a.chunk_id ?? '', b.chunk_id ?? ''));
}

function filtersMissing(of: Compared, others: Compared): AppliedFilter[] {
  const known = new Set(others.policy.filters_applied.map(filterKey));
  return of.policy.filters_applied
    .filter((filter) => !known.has(filterKey(filter)))
    .sort((a, b) => compare(filterKey(a), filterKey(b)));
}

function filterKey({ rule_id, chunk_id, action }: AppliedFilter): string {
  return JSON.stringify([rule_id, chunk_id, action]);
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
