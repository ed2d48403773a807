import { describe, expect, it } from '@jest/globals';
import { renderView } from './view.js';

describe('renderView', () => {
  it('draws a table with its head, and says so when it is empty', () => {
    const table = renderView({ kind: 'table', head: ['id', 'name'], rows: [['1', 'one']], empty: 'None.' });
    expect(table).toMatch(/id .* name/);
    expect(table).toMatch(/1 .* one/);
    expect(renderView({ kind: 'table', head: ['id'], rows: [], empty: 'None.' })).toBe('None.');
  });

  it('adds the note below the fields or the table', () => {
    const text = renderView({ kind: 'fields', fields: [['token', 'abc']], note: 'Once.' });
    expect(text).toMatch(/token .* abc/);
    expect(text.endsWith('\nOnce.')).toBe(true);
    const table = renderView({ kind: 'table', head: ['id'], rows: [['1']], empty: 'None.', note: 'One.' });
    expect(table).toBe('id\n1\nOne.');
  });

  // A key name or a retrieved text with escape sequences could otherwise rewrite what the operator sees.
  it('lets no control character through', () => {
    const evil = 'a\u001b[2Jb\r\nc\u202Ed';
    for (const view of [
      { kind: 'lines', lines: [evil] },
      { kind: 'fields', fields: [['name', evil]] },
      { kind: 'table', head: ['name'], rows: [[evil]], empty: '' },
    ] as const) {
      expect(renderView(view)).toContain('a [2Jb c d');
    }
  });
});
