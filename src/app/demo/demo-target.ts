import type { INestApplicationContext } from '@nestjs/common';
import { Corpora } from '../../features/corpora/index.js';
import { AcceptDocument, ingestionErrors, Submissions } from '../../features/ingestion/index.js';
import { Plans } from '../../features/plans/index.js';
import { DocumentGrants } from '../../features/rbac-abac/index.js';
import { Tenants } from '../../features/tenants/index.js';
import { commonErrors } from '../../kernel/common-errors.js';
import type { Infrastructure } from '../infrastructure.js';
import type { DemoTarget } from './seed-demo.js';

/** The application as the place where the demo corpus is made. */
export function demoTarget(app: INestApplicationContext, { ids, uow }: Infrastructure): DemoTarget {
  const corpora = app.get(Corpora, { strict: false });
  const submissions = app.get(Submissions, { strict: false });
  const documents = app.get(AcceptDocument, { strict: false });
  const grants = app.get(DocumentGrants, { strict: false });
  return {
    requestId: () => ids.uuid(),
    ensureTenant: (id) => app.get(Tenants, { strict: false }).ensure(id),
    startOnPlan: (planId) => app.get(Plans, { strict: false }).startOn(planId),
    corpus: (id) => corpora.get(id),
    createCorpus: (request) => corpora.create(request),
    countChunks: (corpusId) =>
      uow.read(async () => {
        const sql = 'SELECT count(*)::int AS total FROM chunks WHERE tenant_id = $1 AND corpus_id = $2';
        return (await uow.first<{ total: number }>(sql, [uow.tenantId, corpusId]))?.total ?? 0;
      }),
    ingest: async (corpusId, { id, uri, filename, metadata }, text) => {
      const submission = submissions.ofText({
        corpusId,
        documentId: id,
        uri,
        filename,
        metadata,
        text,
        // Its paragraphs are its chunks.
        chunker: 'v1',
        overwrite: true,
      });
      const { status } = await documents.ingestNow(submission);
      if (status === 'succeeded') return;
      if (status !== 'failed') throw ingestionErrors.INGEST_IN_PROGRESS();
      throw commonErrors.UPSTREAM_ERROR({ message: `The document ${id} could not be indexed. The log says why.` });
    },
    share: (documentId) =>
      uow.run(async () => {
        const sql = `SELECT 1 FROM documents WHERE tenant_id = $1 AND id = $2 AND created_by = 'system'
            AND NOT EXISTS (SELECT FROM document_permissions p WHERE p.tenant_id = $1 AND p.document_id = $2)`;
        if ((await uow.first(sql, [uow.tenantId, documentId])) === undefined) return;
        await grants.grantRole(documentId, 'reader', 'read');
        await grants.grantRole(documentId, 'editor', 'read');
        await grants.grantRole(documentId, 'admin', 'owner');
      }),
  };
}
