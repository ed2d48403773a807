import type { Test } from 'supertest';
import { expect } from '@jest/globals';
import { TestApp, type Actor } from '../../harness/app.js';
import { eventually } from '../../harness/eventually.js';
import { newCorpus } from '../retrieval/chunks.js';

type Json = Record<string, unknown>;

export interface StoredChunk {
  readonly id: string;
  readonly text: string;
  readonly generation: number;
  readonly metadata: { readonly offset_start: number; readonly offset_end: number };
}

let conversations = 0;

/** Somebody's corpus, and what they do with its documents. */
export class Library {
  private constructor(
    readonly app: TestApp,
    readonly editor: Actor,
    readonly corpusId: string,
  ) {}

  static async open(app: TestApp, editor?: Actor): Promise<Library> {
    const owner = editor ?? (await app.actor('editor'));
    return new Library(app, owner, await newCorpus(owner));
  }

  text(body: Json = {}): Test {
    return this.editor.post('/v1/documents/text', { corpus_id: this.corpusId, text: 'Penguins eat krill.', ...body });
  }

  upload(form: Form = {}): Test {
    return postForm(this.editor, formBody({ ...form, fields: { corpus_id: this.corpusId, ...form.fields } }));
  }

  async get(id: string): Promise<Json> {
    return (await this.editor.get(`/v1/documents/${id}`).expect(200)).body.data as Json;
  }

  /** The document when nothing is under way for it any more. */
  async finished(id: string): Promise<Json> {
    return eventually(async () => {
      const document = await this.get(id);
      expect(['succeeded', 'failed']).toContain(document['status']);
      return document;
    }, 30_000);
  }

  async ids(query = ''): Promise<string[]> {
    const response = await this.editor.get(`/v1/documents${query}`).expect(200);
    return (response.body.data as { id: string }[]).map(({ id }) => id);
  }

  chunksOf(id: string): Promise<StoredChunk[]> {
    return this.app.rows<StoredChunk>(
      `SELECT id, text, generation, metadata_json AS metadata FROM chunks
        WHERE tenant_id = $1 AND document_id = $2 ORDER BY chunk_index`,
      [this.editor.tenantId, id],
    );
  }

  /** Ids of the chunks that a question finds, best first. */
  async found(message: string): Promise<string[]> {
    const session_id = `ingestion-${(conversations += 1)}`;
    const body = { session_id, corpus_id: this.corpusId, message, top_k: 50, stream: false };
    const response = await this.editor.post('/v1/run', body).expect(200);
    return (response.body.data.citations as { chunk_id: string }[]).map(({ chunk_id }) => chunk_id);
  }

  keyOf(id: string, sha256: unknown): string {
    return `tenants/${this.editor.tenantId}/documents/${id}/${String(sha256)}`;
  }

  /** The stored text; undefined when there is none. */
  async stored(id: string, sha256: unknown): Promise<string | undefined> {
    const bytes = await this.app.infrastructure.blobs.get(this.keyOf(id, sha256));
    return bytes === undefined ? undefined : Buffer.from(bytes).toString();
  }

  async audited(id: string): Promise<{ event_type: string; metadata_json: Json; outcome: string }[]> {
    const events = await this.app.audit(this.editor.tenantId);
    return events.filter((event) => event['resource_id'] === id) as never;
  }

  /** Rows of the own tenant in a table. */
  async count(table: string): Promise<number> {
    return (await this.app.rows(`SELECT FROM ${table} WHERE tenant_id = $1`, [this.editor.tenantId])).length;
  }
}

export interface Part {
  /** Undefined for a part without a file name, which is a field. */
  readonly filename?: string;
  readonly type?: string;
  readonly content?: string | Buffer;
}

export interface Form {
  readonly fields?: Readonly<Record<string, string>>;
  readonly files?: readonly Part[];
  /** Files come after the fields unless this is set. */
  readonly filesFirst?: boolean;
}

/** Exactly these bytes as multipart, since form libraries mend file names and types. */
export function formBody({ fields = {}, files = [{}], filesFirst = false }: Form): Buffer {
  const fieldParts = Object.entries(fields).map(([name, value]) => part(`name="${name}"`, undefined, value));
  const fileParts = files.map(({ filename = 'notes.txt', type = 'text/plain', content = 'Penguins eat krill.' }) =>
    part(`name="file"; filename="${filename}"`, type, content),
  );
  const parts = filesFirst ? [...fileParts, ...fieldParts] : [...fieldParts, ...fileParts];
  return Buffer.concat([...parts, Buffer.from('--b--\r\n')]);
}

export function postForm(by: Actor, body: string | Buffer): Test {
  return by.post('/v1/documents').set('Content-Type', 'multipart/form-data; boundary=b').send(body);
}

function part(disposition: string, type: string | undefined, content: string | Buffer): Buffer {
  const head = [
    `Content-Disposition: form-data; ${disposition}`,
    ...(type === undefined ? [] : [`Content-Type: ${type}`]),
  ];
  return Buffer.concat([Buffer.from(`--b\r\n${head.join('\r\n')}\r\n\r\n`), Buffer.from(content), Buffer.from('\r\n')]);
}
