import type { Bundle, Rule } from './bundle.js';
import { normalised } from './labels.js';

export type PolicyMode = 'log_only' | 'enforce';

/** Who gets what was found, as rules see it. */
export interface Caller {
  readonly type: string;
  readonly id: string;
}

/** What candidates are screened by. */
export interface Screen {
  /** Undefined when none is active. */
  readonly bundle: Bundle | undefined;
  readonly mode: PolicyMode;
  readonly caller: Caller;
  /** Whether one may be active that could not be read. */
  readonly unavailable?: boolean;
}

/** A text that was found, as policy bundles see it. */
export interface Screened {
  readonly chunkId: string | null;
  /** See `labelsOf`. */
  readonly labels: readonly string[];
  readonly text: string;
  readonly redacted: boolean;
}

export interface AppliedFilter {
  readonly chunk_id: string | null;
  readonly rule_id: string;
  readonly action: 'deny' | 'redact';
  readonly matched_labels: readonly string[];
}

export interface SkippedFilter {
  readonly rule_id: string;
  readonly action: 'deny' | 'redact';
  readonly matched: false;
}

/** What the policy bundle in force did to the candidates of one retrieval, as a receipt keeps it. */
export interface Screening {
  /** Both null when no bundle was in force. */
  readonly bundleHash: string | null;
  readonly bundleYaml: string | null;
  readonly mode: PolicyMode;
  /** Whether one was, and could not be read: nothing was screened. */
  readonly unavailable: boolean;
  /** Of all candidates, also of those that were too far down to be returned. */
  readonly applied: readonly AppliedFilter[];
  /** Rules that decided about no candidate. */
  readonly skipped: readonly SkippedFilter[];
}

export const UNSCREENED: Screening = {
  bundleHash: null,
  bundleYaml: null,
  mode: 'log_only',
  unavailable: false,
  applied: [],
  skipped: [],
};

/** Stands in place of a text that a rule redacts. */
export const REDACTED = '[REDACTED by policy]';

/**
 * Asks the rules about each candidate; the first that matches decides, and without one it is allowed. `enforce` drops
 * what is denied and takes the text of what is redacted; `log_only` keeps everything as it is. The order stays.
 */
export function screen<T extends Screened>(
  candidates: readonly T[],
  { bundle, mode, caller, unavailable = false }: Screen,
): { readonly kept: readonly T[]; readonly screening: Screening } {
  if (bundle === undefined) return { kept: candidates, screening: { ...UNSCREENED, mode, unavailable } };
  const rules = bundle.rules.filter(({ when }) => concerns(when, caller)).map(matcherOf);
  const applied: AppliedFilter[] = [];
  const kept = candidates.flatMap((candidate) => {
    const match = firstMatch(rules, candidate);
    if (match === undefined) return [candidate];
    applied.push(match);
    if (mode === 'log_only') return [candidate];
    return match.action === 'deny' ? [] : [{ ...candidate, text: REDACTED, redacted: true }];
  });
  const fired = new Set(applied.map(({ rule_id }) => rule_id));
  const skipped = bundle.rules
    .filter(({ id }) => !fired.has(id))
    .map(({ id, action }) => ({ rule_id: id, action, matched: false as const }));
  return {
    kept,
    screening: { bundleHash: bundle.hash, bundleYaml: bundle.yaml, mode, unavailable, applied, skipped },
  };
}

interface Matcher {
  readonly rule: Rule;
  readonly any: readonly string[] | undefined;
  readonly all: readonly string[];
}

function matcherOf(rule: Rule): Matcher {
  const { chunk_has_any_label: any, chunk_has_all_labels: all = [] } = rule.when;
  return { rule, any: any?.map(normalised), all: all.map(normalised) };
}

function concerns(when: Rule['when'], { type, id }: Caller): boolean {
  return (
    (when.caller_type === undefined || when.caller_type === type) &&
    (when.caller_type_in === undefined || when.caller_type_in.includes(type)) &&
    !when.caller_type_not_in?.includes(type) &&
    (when.caller_id === undefined || when.caller_id === id)
  );
}

function firstMatch(matchers: readonly Matcher[], { chunkId, labels }: Screened): AppliedFilter | undefined {
  const has = (label: string): boolean => labels.includes(label);
  const match = matchers.find(({ any, all }) => (any === undefined || any.some(has)) && all.every(has));
  if (match === undefined) return undefined;
  const named = [...(match.any ?? []), ...match.all];
  return {
    chunk_id: chunkId,
    rule_id: match.rule.id,
    action: match.rule.action,
    matched_labels: labels.filter((label) => named.includes(label)),
  };
}
