import { beforeEach, describe, expect, it } from '@jest/globals';
import { inTenant, models, rows, the, useIngestion } from '../../../test/factories/ingestion.js';
import { put, search, TestModel } from '../../../test/factories/retrieval.js';
import { DocumentAccess, type DocumentRules } from '../rbac-abac/index.js';

useIngestion();
let model: TestModel;
beforeEach(() => {
  model = new TestModel('test');
  Object.assign(models, { current: model, of: () => model });
});

const rules = (): Promise<DocumentRules> => inTenant(async () => the(DocumentAccess).rules());

const grant = (documentId: string): Promise<object[]> =>
  rows(
    `INSERT INTO document_permissions
       (tenant_id, id, document_id, principal_type, principal_id, permission, granted_by)
     VALUES ($1, $2, $2, 'user', 'user-1', 'read', 'test')`,
    documentId,
  );

describe('a search of somebody who may read few documents', () => {
  it('finds those of the corpus that is searched', async () => {
    await put('a', ['boat']);
    await put('b', ['boat']);
    await grant('b');
    const found = await search('boat', { reader: await rules() });
    expect(found.map(({ documentId }) => documentId)).toEqual(['b']);
    expect(await search('boat')).toHaveLength(2);
  });

  // The texts are read last; what was taken away meanwhile must not be read.
  it('reads nothing of a document whose grant is revoked while the search runs', async () => {
    await put('a', ['boat']);
    await grant('a');
    model.before = async (kind) => {
      if (kind === 'query') await rows(`DELETE FROM document_permissions WHERE tenant_id = $1`);
    };
    expect(await search('boat', { reader: await rules() })).toEqual([]);
    expect(model.questions).toBe(1);
  });

  it('asks no model for somebody who may read nothing', async () => {
    await put('a', ['boat']);
    expect(await search('boat', { reader: await rules() })).toEqual([]);
    expect(model.questions).toBe(0);
  });
});
