import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatasetError, readDataset } from './dataset.js';
import type { EvalDocument } from './dataset.js';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'dataset-'));
});
afterEach(() => rm(directory, { recursive: true }));

const HEADER = 'query-id\tcorpus-id\tscore';

async function write(files: { corpus?: string; queries?: string; qrels?: string }): Promise<void> {
  await writeFile(join(directory, 'corpus.jsonl'), files.corpus ?? '{"_id":"d1","title":"T","text":"x"}\n');
  await writeFile(join(directory, 'queries.jsonl'), files.queries ?? '{"_id":"q1","text":"why"}\n');
  await writeFile(join(directory, 'qrels.tsv'), files.qrels ?? `${HEADER}\nq1\td1\t1\n`);
}

async function all(documents: AsyncIterable<EvalDocument>): Promise<EvalDocument[]> {
  const found: EvalDocument[] = [];
  for await (const document of documents) found.push(document);
  return found;
}

/** Reads everything there is. */
const read = async (): Promise<EvalDocument[]> => all((await readDataset(directory)).documents());

describe('readDataset', () => {
  it('reads documents, queries and judgements', async () => {
    await write({
      corpus: '{"_id":"d1","title":"T","text":"x"}\n{"_id":2,"text":"y","metadata":{}}\n',
      queries: '{"_id":"q1","text":"why"}\n{"_id":"q2","text":"how"}\n',
      qrels: `${HEADER}\nq1\td1\t2\nq1\t2\t1\nq2\td1\t1\n`,
    });
    const dataset = await readDataset(directory);
    expect(dataset.queries).toEqual([
      { id: 'q1', text: 'why' },
      { id: 'q2', text: 'how' },
    ]);
    expect(dataset.qrels).toEqual(
      new Map([
        ['q1', new Set(['d1', '2'])],
        ['q2', new Set(['d1'])],
      ]),
    );
    const documents = [
      { id: 'd1', title: 'T', text: 'x' },
      { id: '2', title: '', text: 'y' },
    ];
    await expect(all(dataset.documents())).resolves.toEqual(documents);
    await expect(all(dataset.documents())).resolves.toEqual(documents);
  });

  it('leaves out queries without a relevant document, and judgements of queries that are not there', async () => {
    await write({
      queries: '{"_id":"q1","text":"a"}\n{"_id":"q2","text":"b"}\n{"_id":"q3","text":"c"}\n',
      qrels: `${HEADER}\nq1\td1\t0\nq2\td1\t-1\nq2\td2\t1\nq9\td1\t1\n`,
    });
    const { queries, qrels } = await readDataset(directory);
    expect(queries).toEqual([{ id: 'q2', text: 'b' }]);
    expect(qrels).toEqual(new Map([['q2', new Set(['d2'])]]));
  });

  // A line separator is legal inside JSON; cutting there would refuse collections that were made from web pages.
  it('reads CRLF, a byte order mark, blank lines, U+2028 within a text, and no newline at the end', async () => {
    await write({
      corpus: '\uFEFF{"_id":"d1","text":"a\u2028b"}\r\n\r\n{"_id":"d2","text":"c"}',
      qrels: `\uFEFF${HEADER}\r\nq1\td1\t1\r\n`,
    });
    await expect(read()).resolves.toEqual([
      { id: 'd1', title: '', text: 'a\u2028b' },
      { id: 'd2', title: '', text: 'c' },
    ]);
  });

  it('reads lines that are longer than one read of the file', async () => {
    const text = '中文😀'.repeat(100_000);
    await write({ corpus: `${JSON.stringify({ _id: 'd1', text })}\n{"_id":"d2","text":"c"}\n` });
    const [first, second] = await read();
    expect(first?.text === text).toBe(true);
    expect(second?.id).toBe('d2');
  });

  it.each([
    [{ corpus: '{"_id":"d1","text":"x"}\n{"_id":"d2"\n' }, 'corpus.jsonl line 2: is not JSON'],
    [{ corpus: '\n{"_id":"d1"}\n' }, /^corpus.jsonl line 2: text /],
    [{ corpus: '{"_id":"","text":"x"}\n' }, /^corpus.jsonl line 1: _id /],
    [{ corpus: '{"_id":"d","text":"x"}\n{"_id":"d","text":"y"}' }, 'corpus.jsonl line 2: _id "d" is there twice'],
    [{ queries: '[]\n' }, /^queries.jsonl line 1: /],
    [{ qrels: '' }, 'qrels.tsv: is empty'],
    [{ qrels: 'q1\td1\t1\n' }, 'qrels.tsv line 1: must be the header query-id, corpus-id, score, separated by tabs'],
    [{ qrels: `${HEADER}\nq1 d1 1\n` }, /^qrels.tsv line 2: must be a query id/],
    [{ qrels: `${HEADER}\nq1\td1\t1\nq1\td2\tyes\n` }, /^qrels.tsv line 3: must be a query id/],
  ])('names file, line and fault: %j', async (files, message) => {
    await write(files);
    const error: unknown = await read().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(DatasetError);
    await expect(read()).rejects.toThrow(message);
  });

  it('names a file that is missing', async () => {
    await write({});
    await rm(join(directory, 'queries.jsonl'));
    await expect(read()).rejects.toThrow('queries.jsonl: cannot be read (ENOENT)');
  });
});
