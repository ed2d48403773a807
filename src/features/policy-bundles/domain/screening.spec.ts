import { describe, expect, it } from '@jest/globals';
import { bundleOf, type Bundle } from './bundle.js';
import { REDACTED, screen, UNSCREENED, type Screened } from './screening.js';

function bundle(...rules: readonly object[]): Bundle {
  const numbered = rules.map((rule, index) => ({ id: `r${index + 1}`, action: 'deny', ...rule }));
  const result = bundleOf({ version: 1, rules: numbered }, 'yaml');
  if (!result.ok) throw new Error(result.reason);
  return result.bundle;
}

const chunk = (chunkId: string, ...labels: string[]): Screened => ({
  chunkId,
  labels,
  text: `text of ${chunkId}`,
  redacted: false,
});
const caller = { type: 'marketing_tool', id: 'k' };
const PII = { when: { chunk_has_any_label: ['pii'] } };
const ids = (kept: readonly Screened[]): unknown[] => kept.map(({ chunkId }) => chunkId);

describe('screening', () => {
  const found = [chunk('a', 'pii'), chunk('b'), chunk('c', 'pii', 'secret')];

  it('without a bundle keeps everything, and says so', () => {
    const { kept, screening } = screen(found, { bundle: undefined, mode: 'enforce', caller });
    expect(kept).toBe(found);
    expect(screening).toEqual({ ...UNSCREENED, mode: 'enforce' });
  });

  it('that enforces drops what is denied, and says which rule did it', () => {
    const rules = bundle(PII, { when: { chunk_has_any_label: ['unheard-of'] } });
    const { kept, screening } = screen(found, { bundle: rules, mode: 'enforce', caller });
    expect(kept).toEqual([chunk('b')]);
    expect(screening).toEqual({
      bundleHash: rules.hash,
      bundleYaml: 'yaml',
      mode: 'enforce',
      unavailable: false,
      applied: [
        { chunk_id: 'a', rule_id: 'r1', action: 'deny', matched_labels: ['pii'] },
        { chunk_id: 'c', rule_id: 'r1', action: 'deny', matched_labels: ['pii'] },
      ],
      skipped: [{ rule_id: 'r2', action: 'deny', matched: false }],
    });
  });

  it('that enforces takes the text of what is redacted, and keeps its place', () => {
    const { kept } = screen(found, { bundle: bundle({ ...PII, action: 'redact' }), mode: 'enforce', caller });
    expect(kept.map(({ chunkId, text, redacted }) => [chunkId, text, redacted])).toEqual([
      ['a', REDACTED, true],
      ['b', 'text of b', false],
      ['c', REDACTED, true],
    ]);
    expect(found[0]?.text).toBe('text of a');
  });

  it('that logs changes nothing, and says the same', () => {
    const rules = bundle(PII);
    const { kept, screening } = screen(found, { bundle: rules, mode: 'log_only', caller });
    expect(kept).toEqual(found);
    const enforced = screen(found, { bundle: rules, mode: 'enforce', caller }).screening;
    expect(screening).toEqual({ ...enforced, mode: 'log_only' });
  });

  it('has the first rule that matches decide, whatever the later ones say', () => {
    const secret = { when: { chunk_has_all_labels: ['pii', 'secret'] } };
    const redactFirst = bundle({ ...secret, action: 'redact' }, PII);
    expect(ids(screen(found, { bundle: redactFirst, mode: 'enforce', caller }).kept)).toEqual(['b', 'c']);
    const denyFirst = bundle(PII, { ...secret, action: 'redact' });
    const { kept, screening } = screen(found, { bundle: denyFirst, mode: 'enforce', caller });
    expect(ids(kept)).toEqual(['b']);
    expect(screening.skipped).toEqual([{ rule_id: 'r2', action: 'redact', matched: false }]);
  });
});

describe('a rule', () => {
  it.each([
    ['any of the labels', { chunk_has_any_label: ['x', 'pii'] }, true],
    ['none of the labels', { chunk_has_any_label: ['x', 'y'] }, false],
    ['labels in other letters, with blanks', { chunk_has_any_label: [' PII '] }, true],
    ['a part of a label', { chunk_has_any_label: ['pi'] }, false],
    ['all of the labels', { chunk_has_all_labels: ['pii', 'team:a'] }, true],
    ['not all of the labels', { chunk_has_all_labels: ['pii', 'x'] }, false],
    ['the type of the caller', { caller_type: 'marketing_tool' }, true],
    ['the type in other letters', { caller_type: 'Marketing_Tool' }, false],
    ['another type', { caller_type: 'admin' }, false],
    ['one of the types', { caller_type_in: ['admin', 'marketing_tool'] }, true],
    ['none of the types', { caller_type_in: ['admin'] }, false],
    ['no type that is excepted', { caller_type_not_in: ['admin'] }, true],
    ['a type that is excepted', { caller_type_not_in: ['marketing_tool'] }, false],
    ['the caller', { caller_id: 'k' }, true],
    ['another caller', { caller_id: 'K' }, false],
    ['both predicates', { chunk_has_any_label: ['pii'], caller_type: 'marketing_tool' }, true],
    ['one predicate of two', { chunk_has_any_label: ['pii'], caller_type: 'admin' }, false],
  ])('that names %s matches accordingly', (_, when, matches) => {
    const { kept } = screen([chunk('a', 'pii', 'team:a')], { bundle: bundle({ when }), mode: 'enforce', caller });
    expect(kept).toHaveLength(matches ? 0 : 1);
  });
});
