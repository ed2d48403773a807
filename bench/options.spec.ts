import { describe, expect, it } from '@jest/globals';
import { readOptions } from './options.js';

const SECTIONS = ['reads', 'search'];

describe('the options', () => {
  it('are a full run unless they say otherwise', () => {
    expect(readOptions([], SECTIONS)).toEqual({
      publish: true,
      only: [],
      quick: false,
      soakMinutes: 3,
      out: 'bench/results/latest.json',
    });
  });

  it('choose sections, sizes and the file', () => {
    const args = ['--only', 'search,reads', '--quick', '--soak-minutes', '60', '--out', 'x.json'];
    expect(readOptions(args, SECTIONS)).toEqual({
      publish: false,
      only: ['search', 'reads'],
      quick: true,
      soakMinutes: 60,
      out: 'x.json',
    });
  });

  it('never publish a comparison with another version', () => {
    expect(readOptions(['--against', '../before'], SECTIONS)).toMatchObject({ against: '../before', publish: false });
    expect(() => readOptions(['--against', '../before', '--publish'], SECTIONS)).toThrow('--publish');
  });

  it('refuse what they do not know, and name what there is', () => {
    expect(() => readOptions(['--only', 'reads,nothing'], SECTIONS)).toThrow(
      'No such section: nothing. There are reads, search.',
    );
    expect(() => readOptions(['--fast'], SECTIONS)).toThrow('--fast');
    expect(() => readOptions(['--soak-minutes', 'long'], SECTIONS)).toThrow('--soak-minutes');
  });
});
