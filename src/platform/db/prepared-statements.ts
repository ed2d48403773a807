import pg from 'pg';
import { sha256Hex } from '../../kernel/hash.js';

/** Statements that start like this are planned for the values at hand; a plan made for any values would be a bad one. */
export const PLANNED_ANEW = '/* planned anew */';

/** Different statements that a connection keeps prepared. Ours are a few hundred. */
const MOST_PREPARED = 1000;
const names = new Map<string, string>();

/** A connection that has Postgres parse and plan each statement with parameters once, not on every use. */
export class PreparingClient extends pg.Client {
  // The overloads of `query` are many; only the one with a text and its values is changed.
  override query = ((config: unknown, values?: unknown, callback?: unknown): unknown => {
    const query = pg.Client.prototype.query.bind(this) as (...parts: unknown[]) => unknown;
    if (typeof config !== 'string' || !Array.isArray(values) || values.length === 0) {
      return query(config, values, callback);
    }
    const name = nameOf(config);
    return name === undefined ? query(config, values, callback) : query({ name, text: config, values }, callback);
  }) as pg.Client['query'];
}

function nameOf(text: string): string | undefined {
  const known = names.get(text);
  if (known !== undefined || text.startsWith(PLANNED_ANEW) || names.size >= MOST_PREPARED) return known;
  const name = `nexusrag-${sha256Hex(text).slice(0, 32)}`;
  names.set(text, name);
  return name;
}
