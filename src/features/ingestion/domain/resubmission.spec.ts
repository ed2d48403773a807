import { describe, expect, it } from '@jest/globals';
import { judge } from './resubmission.js';

const stored = { corpusId: 'c1', contentSha256: 'one' };
const sent = { corpusId: 'c1', contentSha256: 'one', overwrite: false };

describe('judge', () => {
  it('creates what does not exist', () => {
    expect(judge(undefined, sent)).toBe('create');
    expect(judge(undefined, { ...sent, overwrite: true })).toBe('create');
  });

  it.each(['queued', 'processing', 'succeeded', 'failed'] as const)(
    'leaves a %s document in its corpus, with or without overwrite',
    (status) => {
      expect(judge({ ...stored, status }, { ...sent, corpusId: 'c2' })).toBe('elsewhere');
      expect(judge({ ...stored, status }, { ...sent, corpusId: 'c2', overwrite: true })).toBe('elsewhere');
    },
  );

  it.each(['queued', 'processing'] as const)('keeps a %s document whatever is sent', (status) => {
    expect(judge({ ...stored, status }, sent)).toBe('keep');
    expect(judge({ ...stored, status }, { ...sent, contentSha256: 'two' })).toBe('keep');
    expect(judge({ ...stored, status }, { ...sent, contentSha256: 'two', overwrite: true })).toBe('keep');
  });

  it.each(['succeeded', 'failed'] as const)('replaces a %s document only on request', (status) => {
    expect(judge({ ...stored, status }, sent)).toBe('keep');
    expect(judge({ ...stored, status }, { ...sent, contentSha256: 'two' })).toBe('differs');
    expect(judge({ ...stored, status }, { ...sent, overwrite: true })).toBe('replace');
    expect(judge({ ...stored, status }, { ...sent, contentSha256: 'two', overwrite: true })).toBe('replace');
  });
});
