import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { TestApp } from '../../harness/app.js';
import { eventually } from '../../harness/eventually.js';
import { GatedEmbeddings } from './gated-embeddings.js';
import { Library } from './library.js';

let app: TestApp;
let embeddings: GatedEmbeddings;

beforeAll(async () => {
  embeddings = new GatedEmbeddings();
  app = await TestApp.start({ INGEST_MAX_CONCURRENCY: '2', INGEST_MAX_QUEUE_DEPTH: '70' }, { embeddings });
});
afterAll(() => app.close());
beforeEach(() => embeddings.reset());

async function send(library: Library, documents: number): Promise<void> {
  for (let index = 0; index < documents; index += 1) await library.text({ document_id: `d${index}` }).expect(202);
}

/** Documents that wait or are being worked on. */
async function open(): Promise<number> {
  return (await app.rows(`SELECT FROM outbox_jobs WHERE name = 'ingest' AND state IN ('pending', 'running')`)).length;
}

/** Tenants of the ingested documents, in the order in which they were completed. */
async function completed(): Promise<string[]> {
  const done = `SELECT tenant_id FROM outbox_jobs WHERE name = 'ingest' AND state = 'done' ORDER BY finished_at, turn`;
  return (await app.rows<{ tenant_id: string }>(done)).map(({ tenant_id }) => tenant_id);
}

describe('a tenant that sends many documents', () => {
  // Somebody imports an archive of ten thousand documents; everybody else must not wait for the last of them.
  it('does not hold up another tenant', async () => {
    const [archive, small] = [await Library.open(app), await Library.open(app)];
    const release = embeddings.hold();
    await send(archive, 60);
    await send(small, 3);
    expect(await open()).toBe(63);
    expect(await app.infrastructure.queue.depth('ingest')).toBeLessThanOrEqual(6);
    release();
    await eventually(async () => expect(await completed()).toHaveLength(63), 40_000);
    const places = (await completed()).flatMap((tenant, place) => (tenant === small.editor.tenantId ? [place] : []));
    expect(places).toHaveLength(3);
    expect(Math.max(...places)).toBeLessThan(12);
  });

  it('is refused while its backlog in the outbox is as long as the queue may be, however short the queue is', async () => {
    const library = await Library.open(app);
    const release = embeddings.hold();
    await send(library, 70);
    // What is known of the depth is up to a second old; until then more are accepted.
    let more = 0;
    await eventually(async () => {
      const response = await library.text({ document_id: `more${(more += 1)}` });
      expect([response.status, response.body.error?.code]).toEqual([503, 'SERVICE_BUSY']);
    });
    expect(await app.infrastructure.queue.depth('ingest')).toBeLessThanOrEqual(6);
    release();
    await eventually(async () => expect(await open()).toBe(0), 40_000);
  });
});
