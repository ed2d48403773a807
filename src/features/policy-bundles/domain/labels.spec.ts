import { describe, expect, it } from '@jest/globals';
import { labelsOf } from './labels.js';

describe('the labels of a chunk', () => {
  it('are those of its document with their keys, and the values that classify by themselves', () => {
    expect(labelsOf({ team: 'Legal', sensitivity: ' PII ', Label: 'Draft' })).toEqual([
      'draft',
      'label:draft',
      'pii',
      'sensitivity:pii',
      'team:legal',
    ]);
  });

  it('are each there once, and none is empty', () => {
    expect(labelsOf({ sensitivity: 'pii', label: 'PII', 'label ': '' })).toEqual([
      'label:',
      'label:pii',
      'pii',
      'sensitivity:pii',
    ]);
    expect(labelsOf({})).toEqual([]);
  });

  // Otherwise an editor could label what is confidential until the rule does not see it any more.
  it('are at most 32, and those that classify are never crowded out', () => {
    const crowd = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`a${i}`, 'x']));
    const labels = labelsOf({ ...crowd, sensitivity: 'pii' });
    expect(labels).toHaveLength(32);
    expect(labels).toEqual(expect.arrayContaining(['pii', 'sensitivity:pii']));
    expect(labels).toEqual([...labels].sort());
  });

  it('are none that no rule could name', () => {
    expect(labelsOf({ note: 'x'.repeat(300), team: 'a' })).toEqual(['team:a']);
  });
});
