import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { Qrels } from './metrics.js';

export interface EvalDocument {
  readonly id: string;
  /** Empty when the collection has none. */
  readonly title: string;
  readonly text: string;
}

export interface EvalQuery {
  readonly id: string;
  readonly text: string;
}

export interface EvalDataset {
  /** Read anew, line by line, on each call. */
  documents(): AsyncGenerator<EvalDocument>;
  /** Those that have a relevant document, in the order of their file. */
  readonly queries: readonly EvalQuery[];
  /** Of those queries. */
  readonly qrels: Qrels;
}

/** A file of a collection that cannot be used. The message names the file, the line and the fault. */
export class DatasetError extends Error {
  constructor(file: string, line: number | undefined, fault: string, cause?: unknown) {
    super(`${file}${line === undefined ? '' : ` line ${line}`}: ${fault}`, cause === undefined ? undefined : { cause });
    this.name = 'DatasetError';
  }
}

const CORPUS = 'corpus.jsonl';
const QUERIES = 'queries.jsonl';
const QRELS = 'qrels.tsv';
const QRELS_HEADER = ['query-id', 'corpus-id', 'score'];

const id = z.union([z.string().min(1), z.number().transform(String)], 'must be a text or a number');
const documentLine = z.object({ _id: id, title: z.string().nullish(), text: z.string() });
const queryLine = z.object({ _id: id, text: z.string() });

/**
 * A retrieval collection in the three-file layout: `corpus.jsonl` (`_id`, `title`, `text`), `queries.jsonl` (`_id`,
 * `text`) and `qrels.tsv` (`query-id`, `corpus-id`, `score`, tab separated; a score above 0 is relevant). The queries
 * and their judgements are held in memory, the documents are not. Queries without a relevant document, and judgements
 * of queries that are not there, are left out. A relevant document that is not there counts as one that was not found.
 *
 * @throws DatasetError, for `corpus.jsonl` while it is read.
 */
export async function readDataset(directory: string): Promise<EvalDataset> {
  const relevant = await readQrels(directory);
  const queries: EvalQuery[] = [];
  for await (const { _id, text } of readJsonLines(directory, QUERIES, queryLine)) {
    if (relevant.has(_id)) queries.push({ id: _id, text });
  }
  const qrels = new Map(queries.map((query) => [query.id, relevant.get(query.id) ?? new Set<string>()]));
  return { documents: () => readDocuments(directory), queries, qrels };
}

async function* readDocuments(directory: string): AsyncGenerator<EvalDocument> {
  for await (const { _id, title, text } of readJsonLines(directory, CORPUS, documentLine)) {
    yield { id: _id, title: title ?? '', text };
  }
}

async function readQrels(directory: string): Promise<Map<string, Set<string>>> {
  const relevant = new Map<string, Set<string>>();
  let header = false;
  for await (const { number, text } of readLines(directory, QRELS)) {
    const [queryId = '', documentId = '', score = '', ...more] = text.split('\t');
    if (!header) {
      if (text !== QRELS_HEADER.join('\t')) {
        throw new DatasetError(QRELS, number, `must be the header ${QRELS_HEADER.join(', ')}, separated by tabs`);
      }
      header = true;
      continue;
    }
    if (queryId === '' || documentId === '' || more.length > 0 || !/^[+-]?\d+(\.\d+)?$/.test(score)) {
      throw new DatasetError(QRELS, number, 'must be a query id, a document id and a number, separated by tabs');
    }
    if (Number(score) <= 0) continue;
    relevant.set(queryId, (relevant.get(queryId) ?? new Set()).add(documentId));
  }
  if (!header) throw new DatasetError(QRELS, undefined, 'is empty');
  return relevant;
}

async function* readJsonLines<T extends { readonly _id: string }>(
  directory: string,
  file: string,
  schema: z.ZodType<T>,
): AsyncGenerator<T> {
  const seen = new Set<string>();
  for await (const { number, text } of readLines(directory, file)) {
    const parsed = schema.safeParse(parseJson(file, number, text));
    if (!parsed.success) {
      const [issue] = parsed.error.issues;
      throw new DatasetError(file, number, `${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`.trim());
    }
    const { _id } = parsed.data;
    if (seen.has(_id)) throw new DatasetError(file, number, `_id ${JSON.stringify(_id)} is there twice`);
    seen.add(_id);
    yield parsed.data;
  }
}

function parseJson(file: string, line: number, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new DatasetError(file, line, 'is not JSON', error);
  }
}

interface Line {
  /** From 1. */
  readonly number: number;
  readonly text: string;
}

/** Lines that are not blank. Only LF and CRLF end one: JSON strings may hold U+2028, which `readline` would cut at. */
async function* readLines(directory: string, file: string): AsyncGenerator<Line> {
  let number = 0;
  let rest = '';
  try {
    for await (const part of createReadStream(join(directory, file), 'utf8') as AsyncIterable<string>) {
      const lines = (rest + part).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        number += 1;
        if (line.trim() !== '') yield { number, text: withoutFraming(line, number) };
      }
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    throw new DatasetError(file, undefined, `cannot be read (${code})`, error);
  }
  if (rest.trim() !== '') yield { number: number + 1, text: withoutFraming(rest, number + 1) };
}

/** Without the byte order mark of the file and the CR of the line. */
function withoutFraming(line: string, number: number): string {
  const text = line.endsWith('\r') ? line.slice(0, -1) : line;
  return number === 1 ? text.replace(/^\uFEFF/, '') : text;
}
