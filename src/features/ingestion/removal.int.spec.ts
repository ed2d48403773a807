import { describe, expect, it } from '@jest/globals';
import {
  accept,
  audit,
  blobs,
  clock,
  close,
  code,
  current,
  get,
  inTenant,
  jobRun,
  reindex,
  remove,
  removeSources,
  rows,
  storedTexts,
  the,
  useIngestion,
  work,
} from '../../../test/factories/ingestion.js';
import { Corpora } from '../corpora/index.js';
import type { Accepted } from './application/accept-document.js';
import { IngestReaper } from './application/ingest-reaper.js';
import { IngestHandler } from './jobs/ingest.handler.js';

useIngestion();

describe('deleting', () => {
  it('takes chunks, labels, grants and the stored text along', async () => {
    await accept({ documentId: 'd', metadata: { labels: { a: 'b' } } });
    expect(await code(remove('d'))).toBe('INGEST_IN_PROGRESS');
    await work();
    await remove('d');
    expect(await code(get('d'))).toBe('NOT_FOUND');
    expect(await code(remove('d'))).toBe('NOT_FOUND');
    for (const table of ['chunks', 'document_labels', 'document_permissions', 'ingest_jobs']) {
      expect(await rows(`SELECT FROM ${table} WHERE tenant_id = $1`)).toEqual([]);
    }
    await removeSources();
    expect(storedTexts()).toEqual([]);
    expect(await rows(`SELECT FROM document_source_removals WHERE tenant_id = $1`)).toEqual([]);
    expect(audit.entries.at(-1)).toMatchObject({
      event: 'documents.deleted',
      metadata: { corpus_id: current.corpusId, had_storage: true },
    });
  });

  // The removal of the deleted document's text must not take the text of the document that was sent afterwards.
  it('keeps the text of a document that was sent again before the removal ran', async () => {
    await accept({ documentId: 'd' });
    await work();
    await remove('d');
    await accept({ documentId: 'd' });
    await removeSources();
    await work();
    expect(await get('d')).toMatchObject({ status: 'succeeded' });
    expect(storedTexts()).toEqual(['Hello']);
  });

  it('waits with a document that is sent again while its text is being removed', async () => {
    await accept({ documentId: 'd' });
    await work();
    await remove('d');
    let again: Promise<Accepted> | undefined;
    blobs.beforeDelete = async () => {
      const waiting = new Promise<void>((resolve) => (clock.onSleep = resolve));
      again = accept({ documentId: 'd' });
      await waiting;
    };
    await removeSources();
    expect(await again).toMatchObject({ scheduled: true });
    await work();
    expect(await get('d')).toMatchObject({ status: 'succeeded' });
    expect(storedTexts()).toEqual(['Hello']);
  });

  it('empties a corpus, documents in flight included', async () => {
    await accept({ documentId: 'done' });
    await work();
    const { jobId } = await accept({ documentId: 'queued' });
    await inTenant(() => the(Corpora).delete(current.corpusId, true));
    expect(await code(get('done'))).toBe('NOT_FOUND');
    const run = jobRun(jobId ?? '', { documentId: 'queued', generation: 1 });
    await inTenant(() => the(IngestHandler).run(run));
    expect(await rows(`SELECT FROM chunks WHERE tenant_id = $1`)).toEqual([]);
    await removeSources();
    expect(storedTexts()).toEqual([]);
  });
});

describe('the reaper', () => {
  const age = (id: string): Promise<object[]> =>
    rows(`UPDATE documents SET updated_at = now() - interval '901 seconds' WHERE tenant_id = $1 AND id = $2`, id);
  const sweep = (): Promise<number> => the(IngestReaper).sweep();

  // A document that nobody works on would refuse reindex and deletion for ever.
  it('fails what was left behind and nothing else', async () => {
    const lost = await accept({ documentId: 'lost' });
    const dead = await accept({ documentId: 'dead' });
    await accept({ documentId: 'waiting' });
    const fresh = await accept({ documentId: 'fresh' });
    await rows(`DELETE FROM outbox_jobs WHERE tenant_id = $1 AND id = $2`, lost.jobId);
    await close(dead.jobId ?? '', 'dead');
    await close(fresh.jobId ?? '', 'dead');
    for (const id of ['lost', 'dead', 'waiting']) await age(id);
    expect(await sweep()).toBe(2);
    for (const id of ['lost', 'dead']) {
      expect(await get(id)).toMatchObject({ status: 'failed', failureCode: 'INGEST_STALLED' });
    }
    for (const id of ['waiting', 'fresh']) expect(await get(id)).toMatchObject({ status: 'queued' });
    expect(audit.entries.at(-1)).toMatchObject({
      event: 'documents.ingest.failed',
      actor: { type: 'system', tenantId: current.tenantId },
    });
    expect(await sweep()).toBe(0);
    await reindex('lost');
    await remove('dead');
  });
});
