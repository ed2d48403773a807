import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { TenantConfigs } from '../../../src/features/residency/index.js';
import { RunSlots } from '../../../src/features/run/application/run-slots.js';
import { TestApp } from '../../harness/app.js';
import { createPolicy, POLICIES } from '../authz/authz.js';
import { KEYS } from '../receipts/witness.js';
import { configure } from '../residency/pinned.js';
import { Governed } from '../vector-dbs/governed.js';

let app: TestApp;

beforeAll(async () => {
  app = await TestApp.start(
    {
      STATEWAVE_REGION: 'eu',
      LLM_REGION: 'us',
      RUN_MAX_CONCURRENCY: '2',
      STATEWAVE_RECEIPT_SIGNING_KEYS: JSON.stringify(KEYS),
    },
    {},
    false,
  );
});
afterAll(() => app.close());

it('01 §7, 19 §8: of all that is wrong with a question, the first in the order of the stages is told', async () => {
  const db = await Governed.open(app, 'eu');
  const { owner } = db;
  const { tenantId } = owner;
  const governed = await db.corpus();
  const tell = async (config: object): Promise<void> => {
    await configure(app, tenantId, { region: 'eu', receipt_signing_key_id: 'k-9', ...config });
    await app.app.nest.get(TenantConfigs, { strict: false }).forget(tenantId);
  };
  const feature = (enabled: boolean): PromiseLike<unknown> =>
    owner
      .patch(`/v1/admin/plans/${tenantId}/overrides`, { feature_key: 'feature.retrieval.local_pgvector', enabled })
      .expect(200);
  const unsigned = async (): Promise<unknown[]> =>
    (await app.audit(tenantId)).filter(({ event_type }) => event_type === 'receipt.unsigned');

  const question: Record<string, unknown> = {
    session_id: 'held',
    corpus_id: 'missing',
    message: 'Can penguins fly?',
    stream: false,
    parent_receipt_id: `01${'0'.repeat(24)}`,
  };
  const slot = app.app.nest.get(RunSlots).acquire(tenantId);
  const policy = await createPolicy(owner, { effect: 'deny', resource_type: 'corpus', action: 'run' });
  const policyId = await db.policy();
  const { bindingId } = await db.bind();
  await feature(false);
  await tell({ egress_mode: 'block', receipt_enforcement: 'required' });
  await app.rows(
    `INSERT INTO sessions (tenant_id, subject_id, id, active_run_id, active_until, created_at, last_seen_at, next_seq)
     VALUES ($1, $2, 'held', 'other', now() + interval '1 hour', now(), now(), 1)`,
    [tenantId, owner.userId],
  );

  const order: [stage: string, code: string, mend: () => unknown][] = [
    ['14 bulkhead', 'SERVICE_BUSY', slot],
    ['15 resource', 'NOT_FOUND', () => (question['corpus_id'] = governed)],
    ['16 policies', 'AUTHZ_DENIED', () => owner.post(`${POLICIES}/${policy}/disable`).expect(200)],
    ['18 plan', 'FEATURE_NOT_ENABLED', () => feature(true)],
    ['18 places', 'residency.egress_blocked', () => tell({ egress_mode: 'off', receipt_enforcement: 'required' })],
    [
      '18 governance of the corpus',
      'VECTOR_DB_NOT_ATTACHED',
      () => db.attach(policyId, bindingId, { attachment_type: 'corpus', attachment_ref: governed }).expect(200),
    ],
    ['the receipt it names', 'REQUEST_VALIDATION_ERROR', () => delete question['parent_receipt_id']],
    ['the key of its own', 'RECEIPT_SIGNING_UNAVAILABLE', () => tell({ egress_mode: 'off' })],
    ['the session', 'SESSION_BUSY', () => app.rows(`DELETE FROM sessions WHERE tenant_id = $1`, [tenantId])],
  ];
  for (const [stage, code, mend] of order) {
    const refused = await owner.post('/v1/run', question);
    expect([stage, refused.body.error?.code]).toEqual([stage, code]);
    await mend();
  }
  // Nothing is said of receipts that were never written.
  expect(await unsigned()).toEqual([]);
  const { body } = await owner.post('/v1/run', question).expect(200);
  expect(await unsigned()).toEqual([expect.objectContaining({ resource_id: body.data.receipt_id })]);
});
