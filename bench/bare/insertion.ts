import type pg from 'pg';

const BATCH = 100;

interface Rows {
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  /** Each value as the database prints it. */
  readonly rows: readonly Readonly<Record<string, string | null>>[];
}

/**
 * The baseline of ingestion: the rows of documents that the product has ingested, inserted into another database of the
 * same schema. Into the same one it would add vectors that the index already has, which costs a fraction.
 */
export class BareInsertion {
  #documents: Rows = { columns: [], rows: [] };
  #passages: Rows = { columns: [], rows: [] };
  #vectors: Rows = { columns: [], rows: [] };

  constructor(
    private readonly from: pg.Client,
    /** Has the tenant and the corpus of the documents. */
    private readonly into: pg.Client,
  ) {}

  /** Reads what is to be inserted, which is no part of what is measured. */
  async read(documents: readonly string[]): Promise<void> {
    this.#documents = await this.#rows('documents', 'id', documents);
    this.#passages = await this.#rows('chunks', 'document_id', documents);
    this.#vectors = await this.#rows('chunk_embeddings', 'document_id', documents);
  }

  /** @returns passages inserted per second. */
  async insert(): Promise<number> {
    const started = performance.now();
    await this.#insert('documents', this.#documents, 0, Infinity);
    for (let from = 0; from < this.#passages.rows.length; from += BATCH) {
      await this.into.query('BEGIN');
      await this.#insert('chunks', this.#passages, from, from + BATCH);
      await this.#insert('chunk_embeddings', this.#vectors, from, from + BATCH);
      await this.into.query('COMMIT');
    }
    return this.#passages.rows.length / ((performance.now() - started) / 1000);
  }

  /** In the order in which the product writes them: vectors follow their passages. */
  async #rows(table: string, key: string, documents: readonly string[]): Promise<Rows> {
    const { rows: columns } = await this.from.query<{ name: string; type: string }>(
      `SELECT attname AS name, format_type(atttypid, atttypmod) AS type FROM pg_attribute
        WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped`,
      [table],
    );
    const id = columns.some(({ name }) => name === 'chunk_id') ? 'chunk_id' : 'id';
    const { rows } = await this.from.query<Record<string, string | null>>(
      `SELECT ${columns.map(({ name }) => `${name}::text AS ${name}`).join(', ')} FROM ${table}
        WHERE ${key} = ANY ($1) ORDER BY ${table}.${id}`,
      [documents],
    );
    return { columns, rows };
  }

  async #insert(table: string, { columns, rows }: Rows, from: number, to: number): Promise<void> {
    const names = columns.map(({ name }) => name).join(', ');
    await this.into.query(
      `INSERT INTO ${table} (${names}) SELECT ${columns.map(({ name, type }) => `p.${name}::${type}`).join(', ')}
         FROM unnest(${columns.map((_, at) => `$${at + 1}::text[]`).join(', ')}) AS p (${names})`,
      columns.map(({ name }) => rows.slice(from, to).map((row) => row[name])),
    );
  }
}
