import { describe, expect, it } from '@jest/globals';
import { toSvg } from './chart.js';
import { toMarkdown } from './report.js';
import { compared, isMet, type Report, type Row } from './result.js';

const reads: Row = {
  label: 'throughput',
  unit: 'requests/s',
  better: 'higher',
  product: 1234.5,
  baseline: 2469,
  goal: { of: 'ratio', sign: '≥', limit: 0.4 },
};
const firstToken: Row = {
  label: 'first token',
  unit: 'ms',
  better: 'lower',
  product: 18,
  baseline: 10,
  compare: 'difference',
  goal: { of: 'difference', sign: '≤', limit: 5 },
};
const memory: Row = { label: 'idle', unit: 'MB', better: 'lower', product: 140 };

function reportOf(...rows: Row[]): Report {
  const section = { id: 's', title: 'A section', method: 'How.', seconds: 12.3, rows, notes: ['A note.'] };
  const machine = {
    cores: 2,
    cpu: 'A processor',
    memoryGb: 8,
    node: '20.20.0',
    postgres: '15.1',
    sharedBuffers: '128MB',
    pgvector: '0.8.0',
    redis: '7.0.1',
  };
  return { measuredAt: '2026-01-02 03:04', commit: 'abc1234', quick: false, machine, sections: [section] };
}

describe('a goal', () => {
  it('is set against the ratio, the difference or the value, as it says', () => {
    expect([compared(reads), isMet(reads)]).toEqual([0.5, true]);
    expect([compared(firstToken), isMet(firstToken)]).toEqual([8, false]);
    expect(isMet({ ...memory, goal: { of: 'product', sign: '≤', limit: 140 } })).toBe(true);
    expect(isMet(memory)).toBeUndefined();
  });

  // What failed to be measured must not pass for a success.
  it('is missed by a value that is not a number, and by a comparison without baseline', () => {
    expect(isMet({ ...reads, product: Number.NaN })).toBe(false);
    const { label, unit, better, product, goal } = reads;
    expect(isMet({ label, unit, better, product, ...(goal === undefined ? {} : { goal }) })).toBe(false);
  });
});

describe('the Markdown report', () => {
  it('sets every figure beside its baseline and its goal', () => {
    const text = toMarkdown(reportOf(reads, memory));
    expect(text).toContain('| throughput | 1,230 requests/s | 2,470 requests/s | × 0.5 | × ≥ 0.4 | met |');
    expect(text).toContain('| idle | 140 MB | – | – |  |  |');
    expect(text).toContain('- A note.');
    expect(text).toContain('Every goal is met.');
  });

  it('names missed goals at the top and in the table', () => {
    const text = toMarkdown(reportOf(reads, firstToken));
    expect(text).toContain('Missed goals:\n\n- A section: first token, goal added ≤ 5');
    expect(text).toContain('| first token | 18 ms | 10 ms | +8 ms | added ≤ 5 | **missed** |');
    expect(text).not.toContain('Every goal is met.');
  });

  it('names the machine and says when the sizes were small', () => {
    const report = reportOf(reads);
    expect(toMarkdown(report)).toContain('at commit `abc1234` on 2 cores');
    expect(toMarkdown(report)).not.toContain('quick run');
    expect(toMarkdown({ ...report, quick: true })).toContain('quick run');
  });

  it('has what fits no row in a table of its own', () => {
    const report = reportOf(memory);
    const [section] = report.sections;
    if (section === undefined) throw new Error('The report has no section.');
    const table = { columns: ['route', 'SQL'], lines: [['`a`', 1]] };
    expect(toMarkdown({ ...report, sections: [{ ...section, table }] })).toContain(
      '| route | SQL |\n| --- | ---: |\n| `a` | 1 |',
    );
  });
});

describe('the chart', () => {
  it('draws each figure that has a baseline as a multiple of its cost', () => {
    const svg = toSvg(reportOf(reads, firstToken, memory));
    expect(svg.match(/<rect x=/g)).toHaveLength(2);
    expect(svg).toContain('>2</text>');
    expect(svg).toContain('>1.8</text>');
    expect(svg).not.toContain('idle');
  });

  it('is well formed whatever the labels contain', () => {
    const svg = toSvg(reportOf({ ...reads, label: 'a < b & c' }));
    expect(svg).toContain('a &lt; b &amp; c');
    expect(svg).not.toContain('NaN');
  });
});
