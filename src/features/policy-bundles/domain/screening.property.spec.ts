import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { bundleOf, type Bundle, type Rule } from './bundle.js';
import { REDACTED, screen, type Caller, type Screened } from './screening.js';

const label = fc.constantFrom('pii', 'secret', 'team:a', 'draft');
const type = fc.constantFrom('reader', 'admin', 'marketing_tool');
const labels = fc.uniqueArray(label, { minLength: 1 });
const types = fc.uniqueArray(type, { minLength: 1 });
const caller: fc.Arbitrary<Caller> = fc.record({ type, id: fc.constantFrom('k1', 'k2') });

const when = fc
  .record(
    {
      chunk_has_any_label: labels,
      chunk_has_all_labels: labels,
      caller_type: type,
      caller_type_in: types,
      caller_type_not_in: types,
      caller_id: fc.constantFrom('k1', 'k2'),
    },
    { requiredKeys: [] },
  )
  .filter((predicates) => Object.keys(predicates).length > 0);

const bundle: fc.Arbitrary<Bundle> = fc
  .array(fc.record({ when, action: fc.constantFrom('deny', 'redact') }), { maxLength: 6 })
  .map((rules) => {
    const result = bundleOf({ version: 1, rules: rules.map((rule, id) => ({ ...rule, id: `r${id}` })) }, '');
    if (!result.ok) throw new Error(result.reason);
    return result.bundle;
  });

const candidates: fc.Arbitrary<Screened[]> = fc
  .array(fc.uniqueArray(label))
  .map((found) => found.map((of, id) => ({ chunkId: `c${id}`, labels: of.sort(), text: `t${id}`, redacted: false })));

/** The rules as the specification tells them, one predicate after the other. */
function decision(rules: readonly Rule[], { labels: of }: Screened, { type: kind, id }: Caller): Rule | undefined {
  for (const rule of rules) {
    const { when: w } = rule;
    if (w.chunk_has_any_label !== undefined && !w.chunk_has_any_label.some((name) => of.includes(name))) continue;
    if (w.chunk_has_all_labels !== undefined && w.chunk_has_all_labels.some((name) => !of.includes(name))) continue;
    if (w.caller_type !== undefined && w.caller_type !== kind) continue;
    if (w.caller_type_in !== undefined && !w.caller_type_in.includes(kind)) continue;
    if (w.caller_type_not_in !== undefined && w.caller_type_not_in.includes(kind)) continue;
    if (w.caller_id !== undefined && w.caller_id !== id) continue;
    return rule;
  }
  return undefined;
}

describe('screening that enforces', () => {
  // One denied text in an answer is what the bundle was written to prevent.
  it('lets nothing through that is denied, no text of what is redacted, and everything else', () => {
    fc.assert(
      fc.property(candidates, bundle, caller, (found, rules, by) => {
        const { kept, screening } = screen(found, { bundle: rules, mode: 'enforce', caller: by });
        const expected = found.flatMap((candidate) => {
          const action = decision(rules.rules, candidate, by)?.action;
          if (action === 'deny') return [];
          return [action === 'redact' ? { ...candidate, text: REDACTED, redacted: true } : candidate];
        });
        expect(kept).toEqual(expected);
        const fired = new Set(screening.applied.map(({ rule_id }) => rule_id));
        const skipped = screening.skipped.map(({ rule_id }) => rule_id);
        expect(rules.rules.map(({ id }) => id).filter((id) => !fired.has(id))).toEqual(skipped);
        const logged = screen(found, { bundle: rules, mode: 'log_only', caller: by });
        expect(logged.kept).toEqual(found);
        expect(logged.screening.applied).toEqual(screening.applied);
      }),
    );
  });
});
