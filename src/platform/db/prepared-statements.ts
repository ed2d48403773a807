import pg from 'pg';
import { sha256Hex } from '../../kernel/hash.js';

/** Statements that start like this are planned for the values at hand; a plan made for any values would be a bad one. */
export const PLANNED_ANEW = '/* planned anew */';

/** Different statements that a connection keeps prepared. Ours are a few hundred. */
const MOST_PREPARED = 1000;
const names = new Map<string, string>();

/**
 * A connection that has Postgres parse and plan each statement with parameters once, not on every use, and that has
 * the columns of its rows described once.
 */
export class PreparingClient extends pg.Client {
  /** Columns of the statements that are prepared on this connection, by name. Postgres refuses to change them. */
  readonly #columns = new Map<string, Columns>();

  // The overloads of `query` are many; only the one with a text and its values is changed.
  override query = ((config: unknown, values?: unknown, callback?: Callback): unknown => {
    const query = pg.Client.prototype.query.bind(this) as (...parts: unknown[]) => unknown;
    if (typeof config !== 'string' || !Array.isArray(values) || values.length === 0) {
      return query(config, values, callback);
    }
    const name = nameOf(config);
    if (name === undefined) return query(config, values, callback);
    const prepared = (done: Callback): unknown =>
      query(new PreparedQuery({ name, text: config, values }, done, this.#columns));
    if (callback !== undefined) return prepared(callback);
    return new Promise((resolve, reject) => {
      prepared((error, result) => (error ? reject(error) : resolve(result)));
    });
  }) as pg.Client['query'];
}

type Callback = (error: Error | null, result?: unknown) => void;

/** How pg turns the columns of a row into an object. */
interface Columns {
  fields: unknown;
  _parsers: unknown;
  _prebuiltEmptyResultObject: unknown;
}

/** What is used of pg; its types leave it out. */
interface Connection {
  bind(message: { statement: string; values: unknown[]; valueMapper: (value: unknown) => unknown }): void;
  execute(message: object): void;
  sync(): void;
}

interface Query {
  readonly name: string;
  readonly values: unknown[];
  _result: Columns;
  _accumulateRows: boolean;
  prepare(connection: Connection): void;
  handleRowDescription(description: unknown): void;
  handleError(error: unknown, connection: Connection): void;
}

const Query = pg.Query as unknown as new (config: pg.QueryConfig, callback: Callback) => Query;
const { prepareValue } = (pg as unknown as { utils: { prepareValue: (value: unknown) => unknown } }).utils;

/** A use of a prepared statement. From the second on nothing is described: with many columns that costs most of all. */
class PreparedQuery extends Query {
  constructor(
    config: pg.QueryConfig,
    callback: Callback,
    private readonly columns: Map<string, Columns>,
  ) {
    super(config, callback);
  }

  override prepare(connection: Connection): void {
    const known = this.columns.get(this.name);
    if (known === undefined) return super.prepare(connection);
    this._result.fields = known.fields;
    this._result._parsers = known._parsers;
    this._result._prebuiltEmptyResultObject = known._prebuiltEmptyResultObject;
    this._accumulateRows = true;
    try {
      connection.bind({ statement: this.name, values: this.values, valueMapper: prepareValue });
    } catch (error) {
      connection.sync();
      return this.handleError(error, connection);
    }
    connection.execute({});
    connection.sync();
  }

  override handleRowDescription(description: unknown): void {
    super.handleRowDescription(description);
    const { fields, _parsers, _prebuiltEmptyResultObject } = this._result;
    this.columns.set(this.name, { fields, _parsers, _prebuiltEmptyResultObject });
  }
}

function nameOf(text: string): string | undefined {
  const known = names.get(text);
  if (known !== undefined || text.startsWith(PLANNED_ANEW) || names.size >= MOST_PREPARED) return known;
  const name = `nexusrag-${sha256Hex(text).slice(0, 32)}`;
  names.set(text, name);
  return name;
}
