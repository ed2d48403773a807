import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { Response } from 'supertest';
import { startJobs } from '../../../src/app/jobs.js';
import { PinnedAttachments, VectorDbAccess } from '../../../src/features/vector-dbs/index.js';
import { Corpora } from '../../../src/features/corpora/index.js';
import { CorpusAccess } from '../../../src/features/vector-dbs/application/corpus-access.js';
import { ServedLately } from '../../../src/features/vector-dbs/application/served-lately.js';
import { TestApp } from '../../harness/app.js';
import { eventually } from '../../harness/eventually.js';
import { ShiftedClock } from '../auth/shifted-clock.js';
import { asOwner, newCorpus } from '../retrieval/chunks.js';
import { dataOf, errorOf, Governed, rowsOf, type Bound } from './governed.js';

const MISMATCH = 'residency.vector_db_mismatch';

let app: TestApp;
/** In the zone eu, where pins count. */
let zoned: TestApp;
const clock = new ShiftedClock();

beforeAll(async () => {
  app = await TestApp.start({}, { clock });
  zoned = await TestApp.start(
    { STATEWAVE_REGION: 'eu', RESIDENCY_REGION_MAP_JSON: '{"eu-central-1":"eu"}' },
    {},
    false,
  );
});
afterAll(async () => {
  await app.close();
  await zoned.close();
});

interface Attached {
  readonly db: Governed;
  readonly corpusId: string;
  readonly bound: Bound;
  readonly attachmentId: string;
}

/** A corpus that is attached under a policy for `policyRegion` that monitors. */
async function attached(on: TestApp, region?: string, policyRegion = 'eu', policy: object = {}): Promise<Attached> {
  const db = await Governed.open(on, region);
  const corpusId = await db.corpus();
  const bound = await db.bind();
  const policyId = await db.policy({ region: policyRegion, ...policy });
  const workload = { attachment_type: 'corpus', attachment_ref: corpusId };
  const attachment = dataOf(await db.attach(policyId, bound.bindingId, workload).expect(200));
  return { db, corpusId, bound, attachmentId: attachment['id'] as string };
}

const codeOf = (response: Response): unknown[] => errorOf(response).slice(0, 2);
const tenantOf = ({ db }: Attached): string => db.owner.tenantId;

describe('a governed corpus', () => {
  it('is not served before it is attached, nor after it was detached: no run, no search, no ingestion', async () => {
    const db = await Governed.open(app);
    const corpusId = await db.corpus();
    const refused = async (): Promise<unknown[]> => [
      codeOf(await db.run(corpusId)),
      codeOf(await db.owner.get(`/v1/corpora/${corpusId}/search?q=penguins`)),
      codeOf(await db.owner.post('/v1/documents/text', { corpus_id: corpusId, text: 'Penguins swim.' })),
    ];
    const answer = [409, 'VECTOR_DB_NOT_ATTACHED'];
    expect(await refused()).toEqual([answer, answer, answer]);
    const workload = { attachment_type: 'corpus', attachment_ref: corpusId };
    const { bindingId } = await db.bind();
    const attachment = dataOf(await db.attach(await db.policy(), bindingId, workload).expect(200));
    await db.run(corpusId).expect(200);
    await db.owner.get(`/v1/corpora/${corpusId}/search?q=penguins`).expect(200);
    await db.owner.post('/v1/documents/text', { corpus_id: corpusId, text: 'Penguins swim.' }).expect(202);
    await db.detach(attachment['id']).expect(200);
    expect(await refused()).toEqual([answer, answer, answer]);
    const messages = await app.rows(`SELECT id FROM messages WHERE tenant_id = $1 AND role = 'user'`, [
      db.owner.tenantId,
    ]);
    expect(messages).toHaveLength(1);
  });

  it('answers a veto as plain JSON before a stream, and writes it down', async () => {
    const { db, corpusId, bound, attachmentId } = await attached(app);
    await db.revoke(bound, true).expect(200);
    const body = { session_id: randomUUID(), corpus_id: corpusId, message: 'Can penguins fly?' };
    const response = await db.owner.post('/v1/run', body);
    expect([codeOf(response), response.type]).toEqual([[403, 'BYOK_POSTURE_VETO'], 'application/json']);
    expect((response.body as { error: { details: unknown } }).error.details).toEqual({
      attachment_id: attachmentId,
      provider_key_id: bound.keyId,
      notes: expect.arrayContaining(['provider-key:not-active']),
      workload_status: 'pending-key-activation',
    });
    expect(await app.audit(db.owner.tenantId)).toContainEqual(
      expect.objectContaining({
        event_type: 'vector_db.access.vetoed',
        error_code: 'BYOK_POSTURE_VETO',
        metadata_json: expect.objectContaining({ corpus_id: corpusId, attachment_id: attachmentId, mode: 'monitor' }),
      }),
    );
  });

  it('18 case 17: of a compromised key is refused even where policies only monitor; a retired one only where a key is required', async () => {
    const compromised = await attached(app);
    await compromised.db.revoke(compromised.bound, true).expect(200);
    expect(await compromised.db.openIncidents()).toEqual(['key_revoked critical']);
    for (let i = 0; i < 3; i += 1) {
      expect(codeOf(await compromised.db.run(compromised.corpusId))).toEqual([403, 'BYOK_POSTURE_VETO']);
    }
    expect(await compromised.db.openIncidents()).toEqual(['key_compromised critical', 'key_revoked critical']);
    const ledger = await app.rows(
      `SELECT payload ->> 'workload' AS workload FROM provider_key_audit_events
        WHERE provider_key_id = $1 AND event_type = 'runtime_veto'`,
      [compromised.bound.keyId],
    );
    expect(ledger).toEqual([{ workload: compromised.corpusId }]);
    const retired = await attached(app);
    await retired.db.revoke(retired.bound, false).expect(200);
    expect(await retired.db.openIncidents()).toEqual(['key_revoked high']);
    await retired.db.run(retired.corpusId).expect(200);
    const tier = { provider_id: retired.bound.providerId, byok_required: true };
    await retired.db.owner.put('/v1/admin/provider-tiers/classification:general', tier).expect(200);
    expect(codeOf(await retired.db.run(retired.corpusId))).toEqual([403, 'BYOK_POSTURE_VETO']);
  });

  it.each([
    ['overdue', `rotation_due_at = now() - interval '1 day'`, 'provider-key:rotation-overdue', 'pending-key-rotation'],
    [
      'not verified',
      'attestation_verified_at = NULL',
      'provider-key:attestation-unverified',
      'pending-key-registration',
    ],
  ])(
    'whose key is %s is served where no key is required, and refused where one is',
    async (_name, set, note, status) => {
      const { db, corpusId, bound } = await attached(app);
      await app.rows(`UPDATE provider_keys SET ${set} WHERE id = $1`, [bound.keyId]);
      await db.run(corpusId).expect(200);
      const tier = { provider_id: bound.providerId, byok_required: true };
      await db.owner.put('/v1/admin/provider-tiers/classification:general', tier).expect(200);
      const refused = await db.run(corpusId);
      expect(codeOf(refused)).toEqual([403, 'BYOK_POSTURE_VETO']);
      expect((refused.body as { error: { details: unknown } }).error.details).toMatchObject({
        notes: [note],
        workload_status: status,
      });
    },
  );

  it('is refused once its policy blocks and is inactive; one that monitors notes it', async () => {
    const { db, corpusId } = await attached(app);
    await db.policy({ active: false });
    await db.run(corpusId).expect(200);
    expect(await db.openIncidents()).toEqual(['policy_inactive medium']);
    await db.policy({ active: false, enforcement_mode: 'block' });
    expect(codeOf(await db.run(corpusId))).toEqual([403, 'RESIDENCY_POLICY_INACTIVE']);
    await db.policy({ active: true });
    await db.run(corpusId).expect(200);
  });

  it('18 case 20: outside its region is refused where the policy blocks, with one incident for any number of calls', async () => {
    const { db, corpusId, attachmentId } = await attached(app, 'us');
    expect(await db.openIncidents()).toEqual(['residency_breach high']);
    const receiptId = (await db.run(corpusId).expect(200)).get('X-Receipt-Id') ?? '';
    const receipt = dataOf(await db.owner.get(`/v1/receipts/${receiptId}`).expect(200));
    expect(JSON.stringify(receipt)).toMatch(/"code":"residency_breach"/);
    await db.policy({ enforcement_mode: 'block' });
    const answers: Response[] = [];
    const tenAtOnce = (): Promise<Response[]> => Promise.all(Array.from({ length: 10 }, () => db.run(corpusId)));
    while (answers.length < 50) answers.push(...(await tenAtOnce()));
    expect(answers.map(codeOf)).toEqual(Array(50).fill([403, MISMATCH]));
    const incidents = await db.incidents();
    expect(incidents).toMatchObject([{ attachment_id: attachmentId, automatic: true, notes: { occurrences: 1 } }]);
    clock.advance(61);
    await tenAtOnce();
    expect(await db.incidents()).toMatchObject([{ id: incidents[0]?.['id'], notes: { occurrences: 2 } }]);
    await db.owner.patch(`${db.path}/incidents/${String(incidents[0]?.['id'])}`, {}).expect(200);
    await db.run(corpusId);
    expect(await db.openIncidents()).toEqual(['residency_breach high']);
    expect(await db.incidents()).toHaveLength(2);
  });

  it('says in the decisions of a run what was noted, for its receipt', async () => {
    const { db, corpusId, attachmentId, bound } = await attached(app, 'us');
    const decide = (): Promise<unknown> =>
      app.as(db.owner.tenantId, async () =>
        app.app.nest
          .get(VectorDbAccess, { strict: false })
          .require(await app.app.nest.get(Corpora, { strict: false }).get(corpusId), 'retrieve'),
      );
    const [policyId] = rowsOf(await db.owner.get(`${db.path}/residency-policies`)).map(({ id }) => String(id));
    expect(await decide()).toEqual({
      vectorDbId: db.id,
      attachmentId,
      vectorDbRegion: 'us',
      decisions: [
        { engine: 'vector_db', policyId, effect: 'note', code: 'residency_breach' },
        { engine: 'byok', policyId: bound.keyId, effect: 'allow' },
      ],
    });
    const { receipt_id } = dataOf(await db.run(corpusId).expect(200));
    expect(dataOf(await db.owner.get(`/v1/receipts/${String(receipt_id)}`).expect(200))).toMatchObject({
      retrieval: { vector_db_id: String(db.id), attachment_id: attachmentId, provider_region: 'us' },
    });
  });

  it('is not asked for where enforcement is off', async () => {
    const off = await TestApp.start({ VECTOR_DB_RUNTIME_ENFORCEMENT: 'false' }, {}, false);
    try {
      const db = await Governed.open(off);
      await db.run(await db.corpus()).expect(200);
    } finally {
      await off.close();
    }
  });

  it('names a vector database of its tenant, or none', async () => {
    const db = await Governed.open(app);
    const corpusId = await newCorpus(db.owner);
    const foreign = await Governed.open(app);
    const name = (vector_db_id: unknown): PromiseLike<Response> =>
      db.owner.patch(`/v1/corpora/${corpusId}`, {
        provider_config_json: { retrieval: { provider: 'local_pgvector', vector_db_id } },
      });
    for (const id of [999_999, foreign.id]) expect(codeOf(await name(id))).toEqual([404, 'VECTOR_DB_NOT_FOUND']);
    for (const id of ['1', 0, -1, 1.5, 2 ** 31, null])
      expect([id, ...codeOf(await name(id))]).toEqual([id, 422, 'VALIDATION_ERROR']);
    const config = { retrieval: { provider: 'local_pgvector', vector_db_id: foreign.id } };
    const created = await db.owner.post('/v1/corpora', { name: 'x', provider_config_json: config });
    expect(codeOf(created)).toEqual([404, 'VECTOR_DB_NOT_FOUND']);
    expect(dataOf(await (name(db.id) as Promise<Response>))).toMatchObject({
      provider_config_json: { retrieval: { vector_db_id: db.id } },
    });
    expect(codeOf(await db.owner.patch('/v1/corpora/none', { provider_config_json: config }))).toEqual([
      404,
      'NOT_FOUND',
    ]);
  });
});

describe('a corpus that is attached', () => {
  const changes = async ({ db }: Attached): Promise<unknown[]> =>
    (await app.audit(db.owner.tenantId))
      .filter(({ event_type }) => event_type === 'corpora.updated')
      .map(({ metadata_json }) => (metadata_json as Record<string, unknown>)['vector_db_id']);

  it('names its vector database until it is detached, and what it names is audited', async () => {
    const found = await attached(app);
    const { db, corpusId, attachmentId } = found;
    const other = await Governed.open(app, undefined, db.owner);
    const name = (vector_db_id?: number): PromiseLike<Response> =>
      db.owner.patch(`/v1/corpora/${corpusId}`, {
        provider_config_json: { retrieval: { provider: 'local_pgvector', vector_db_id } },
      });
    for (const id of [undefined, other.id]) expect(codeOf(await name(id))).toEqual([409, 'CORPUS_ATTACHED']);
    await db.owner.patch(`/v1/corpora/${corpusId}`, { name: randomUUID() }).expect(200);
    expect((await name(db.id)).status).toBe(200);
    await db.detach(attachmentId).expect(200);
    expect((await name(other.id)).status).toBe(200);
    expect((await name()).status).toBe(200);
    expect(await changes(found)).toEqual([
      { from: null, to: db.id },
      undefined,
      undefined,
      { from: db.id, to: other.id },
      { from: other.id, to: null },
    ]);
  });

  it('is detached with its deletion, and its id stands for nothing any more', async () => {
    const { db, corpusId, attachmentId, bound } = await attached(app);
    await db.owner.delete(`/v1/corpora/${corpusId}?cascade=true`).expect(204);
    expect(rowsOf(await db.owner.get(`${db.path}/attachments`).expect(200))).toMatchObject([
      { id: attachmentId, detached_reason: 'Corpus deleted' },
    ]);
    expect(await app.audit(db.owner.tenantId)).toContainEqual(
      expect.objectContaining({
        event_type: 'vector_db.attachment.detached',
        metadata_json: expect.objectContaining({ attachment_id: attachmentId, key_id: bound.keyId }),
      }),
    );
    const provider_config_json = { retrieval: { provider: 'local_pgvector', vector_db_id: db.id } };
    await db.owner.post('/v1/corpora', { id: corpusId, name: corpusId, provider_config_json }).expect(201);
    expect(codeOf(await db.run(corpusId))).toEqual([409, 'VECTOR_DB_NOT_ATTACHED']);
    await db.owner.delete(db.path).expect(204);
  });
});

describe('incidents of the platform', () => {
  it('become as severe as what they are about, at once, and that is audited', async () => {
    const retired = await attached(app);
    const { db, bound, attachmentId } = retired;
    await db.revoke(bound, false).expect(200);
    expect(await db.openIncidents()).toEqual(['key_revoked high']);
    await db.revoke(bound, true).expect(200);
    expect(await db.openIncidents()).toEqual(['key_revoked critical']);
    const [incident] = await db.incidents();
    const raised = (await app.audit(db.owner.tenantId)).filter(
      ({ event_type }) => event_type === 'vector_db.incident.raised',
    );
    expect(raised.map(({ metadata_json }) => metadata_json)).toEqual([
      {
        vector_db_id: db.id,
        incident_id: incident?.['id'],
        incident_type: 'key_revoked',
        severity: 'critical',
        previous_severity: 'high',
        attachment_id: attachmentId,
        auto: true,
      },
    ]);
  });

  it('are opened for a key that is compromised after its binding was revoked, too', async () => {
    const { db, bound } = await attached(app);
    const { providerId, keyId, bindingId } = bound;
    await db.owner.post(`/v1/providers/${providerId}/keys/${keyId}/bindings/${bindingId}/revoke`, {}).expect(200);
    await db.revoke(bound, true).expect(200);
    expect(await db.openIncidents()).toEqual(['key_revoked critical']);
  });

  it('19 §12.3 rows 3 and 7: a breach that was monitored is critical once the pin forbids it', async () => {
    const found = await attached(zoned, 'us');
    const { db, corpusId } = found;
    await db.run(corpusId).expect(200);
    expect(await db.openIncidents()).toEqual(['residency_breach high']);
    await db.pin('eu');
    await zoned.infrastructure.state.publish('tenant.config.changed', tenantOf(found));
    expect(codeOf(await db.run(corpusId))).toEqual([403, MISMATCH]);
    expect(await db.openIncidents()).toEqual(['residency_breach critical']);
  });
});

describe('the worker', () => {
  it('18 case 17: asks again: what was queued before a veto fails with its code, without another attempt', async () => {
    const own = await TestApp.start({}, {}, false);
    const { db, corpusId, bound } = await attached(own);
    const document_id = randomUUID();
    await db.owner.post('/v1/documents/text', { corpus_id: corpusId, document_id, text: 'They swim.' }).expect(202);
    await db.owner.post(`/v1/corpora/${corpusId}/reembed`).expect(202);
    await db.revoke(bound, true).expect(200);
    const jobs = await startJobs(own.app.nest, own.infrastructure);
    try {
      const failed = await eventually(async () => {
        const document = dataOf(await db.owner.get(`/v1/documents/${document_id}`).expect(200));
        expect(document['status']).toBe('failed');
        expect((await own.audit(db.owner.tenantId)).map(({ event_type }) => event_type)).toContain(
          'corpora.reembed.failed',
        );
        return document;
      });
      expect(failed['failure_reason']).toBe('BYOK_POSTURE_VETO');
      const [attempts] = await own.rows(`SELECT attempts FROM ingest_jobs WHERE document_id = $1`, [document_id]);
      expect(attempts).toEqual({ attempts: 1 });
      expect(await own.rows(`SELECT id FROM chunks WHERE document_id = $1`, [document_id])).toEqual([]);
      const again = await db.owner.post(`/v1/documents/${document_id}/reindex`, {});
      expect(codeOf(again)).toEqual([403, 'BYOK_POSTURE_VETO']);
      const reembedding = (await own.audit(db.owner.tenantId)).filter(({ event_type }) =>
        String(event_type).startsWith('corpora.reembed'),
      );
      expect(reembedding.map(({ event_type, error_code }) => [event_type, error_code])).toEqual([
        ['corpora.reembed.enqueued', null],
        ['corpora.reembed.failed', 'BYOK_POSTURE_VETO'],
      ]);
      expect(codeOf(await db.owner.post(`/v1/corpora/${corpusId}/reembed`))).toEqual([403, 'BYOK_POSTURE_VETO']);
    } finally {
      await jobs.stop();
      await own.close();
    }
  });
});

describe('regions of a tenant that is pinned to eu, by the rows of 19 §12.3', () => {
  /** Attached without a pin, as `region` and `policyRegion`, and pinned then. */
  async function pinned(region: string | undefined, policyRegion: string, mode: string): Promise<Attached> {
    const found = await attached(zoned, region, policyRegion);
    await found.db.policy({ region: policyRegion, enforcement_mode: mode });
    await found.db.pin('eu');
    await forgetPin(tenantOf(found));
    return found;
  }
  const forgetPin = (tenantId: string): Promise<void> =>
    zoned.infrastructure.state.publish('tenant.config.changed', tenantId);

  const rows: [
    row: number,
    at: string | undefined,
    policy: string,
    mode: string,
    attach: unknown,
    run: unknown,
    incidents: string[],
  ][] = [
    [5, 'eu', 'us', 'monitor', [409, MISMATCH], [403, MISMATCH], []],
    [6, 'eu-central-1', 'eu', 'block', 200, 200, []],
    [7, 'us', 'eu', 'monitor', [409, MISMATCH], [403, MISMATCH], ['residency_breach critical']],
    [8, undefined, 'eu', 'monitor', 200, 200, ['region_unknown high']],
    [8, undefined, 'eu', 'block', [409, MISMATCH], [403, MISMATCH], []],
  ];
  it.each(rows)(
    '19 §12.3 row %i: data at %s, policy for %s, %s',
    async (_row, at, policy, mode, attach, run, incidents) => {
      const { db, corpusId, bound } = await pinned(at, policy, mode);
      const policyId = await db.policy({ region: policy });
      for (const { id } of await db.incidents())
        await db.owner.patch(`${db.path}/incidents/${String(id)}`, {}).expect(200);
      const answer = await db.attach(policyId, bound.bindingId);
      expect(answer.status === 200 ? 200 : codeOf(answer)).toEqual(attach);
      for (const { id } of await db.incidents()) await db.owner.patch(`${db.path}/incidents/${String(id)}`, {});
      const served = await db.run(corpusId);
      expect(served.status === 200 ? 200 : codeOf(served)).toEqual(run);
      expect(await db.openIncidents()).toEqual(incidents);
      const named = await db.govern(corpusId);
      expect(named.status === 200 ? 200 : codeOf(named)).toEqual(attach);
    },
  );

  it.each([
    [2, 'eu', 'block', 200, 200, []],
    [3, 'us', 'monitor', 200, 200, ['residency_breach high']],
    [4, 'us', 'block', [409, MISMATCH], [403, MISMATCH], ['residency_breach high']],
  ] as const)(
    '19 §12.3 row %i: without a pin, data at %s, policy for eu, %s',
    async (_row, at, mode, attach, run, incidents) => {
      const { db, corpusId, bound } = await attached(zoned, at);
      const policyId = await db.policy({ enforcement_mode: mode });
      const answer = await db.attach(policyId, bound.bindingId);
      expect(answer.status === 200 ? 200 : codeOf(answer)).toEqual(attach);
      const served = await db.run(corpusId);
      expect(served.status === 200 ? 200 : codeOf(served)).toEqual(run);
      expect([...new Set(await db.openIncidents())]).toEqual(incidents);
      const named = await db.govern(corpusId);
      expect(named.status === 200 ? 200 : codeOf(named)).toEqual(attach);
    },
  );

  it('19 §12.3 row 1: a corpus that names no vector database needs none', async () => {
    const db = await Governed.open(zoned, 'us');
    await db.run(await newCorpus(db.owner)).expect(200);
  });

  it('a corpus may not name a vector database outside the pin, attached or not', async () => {
    const db = await Governed.open(zoned, 'us');
    await db.pin('eu');
    const config = { retrieval: { provider: 'local_pgvector', vector_db_id: db.id } };
    const created = await db.owner.post('/v1/corpora', { name: 'x', provider_config_json: config });
    expect(codeOf(created)).toEqual([409, MISMATCH]);
    expect(codeOf(await db.govern(await newCorpus(db.owner)))).toEqual([409, MISMATCH]);
  });

  it('19 §12.3 row 12: a new pin names the attachments that break it, with an incident each', async () => {
    const found = await attached(zoned, 'eu');
    const { db, attachmentId } = found;
    const pins = zoned.app.nest.get(PinnedAttachments, { strict: false });
    const outside = (pin: string): Promise<unknown> => zoned.as(tenantOf(found), () => pins.found(pin));
    expect(await outside('eu')).toEqual([]);
    expect(await db.openIncidents()).toEqual([]);
    const warning = { code: MISMATCH, vector_db_id: String(db.id), attachment_id: attachmentId };
    const first = await outside('us');
    const [open] = await db.incidents();
    expect(first).toEqual([{ ...warning, incident_id: open?.['id'] }]);
    expect(await outside('us')).toEqual(first);
    expect(await db.openIncidents()).toEqual(['residency_breach critical']);
  });
});

describe('while the rules cannot be read', () => {
  let own: TestApp;
  const time = new ShiftedClock();
  const UNAVAILABLE = [503, 'GOVERNANCE_UNAVAILABLE'];
  beforeAll(async () => {
    own = await TestApp.start({ STATEWAVE_REGION: 'eu' }, { clock: time }, false);
  });
  afterAll(() => own.close());

  async function unread<T>(ask: () => Promise<T>, on = own): Promise<T> {
    await asOwner(on, 'ALTER TABLE vector_db_attachments RENAME TO away');
    try {
      return await ask();
    } finally {
      await asOwner(on, 'ALTER TABLE away RENAME TO vector_db_attachments');
    }
  }
  const unreadRun = async ({ db, corpusId }: Attached, on = own): Promise<unknown[]> =>
    codeOf(await unread(async () => db.run(corpusId), on));
  const served = async (policy = {}, region?: string): Promise<Attached> => {
    const found = await attached(own, region, 'eu', policy);
    await found.db.run(found.corpusId).expect(200);
    return found;
  };

  it('serves what it served a moment ago under a policy that monitors, counted and audited; nothing else', async () => {
    const monitored = await served();
    const lately = own.app.nest.get(ServedLately, { strict: false });
    const before = lately.totals.failedOpen;
    expect(await unreadRun(monitored)).toEqual([200, undefined]);
    expect(lately.totals.failedOpen).toBe(before + 1);
    const failedOpen = (await own.audit(tenantOf(monitored))).filter(
      ({ event_type }) => event_type === 'vector_db.access.failed_open',
    );
    expect(failedOpen.map(({ metadata_json }) => metadata_json)).toEqual([
      {
        corpus_id: monitored.corpusId,
        vector_db_id: monitored.db.id,
        action: 'retrieve',
        error_class: 'QueryFailedError',
      },
    ]);
    time.advance(6);
    expect(await unreadRun(monitored)).toEqual(UNAVAILABLE);
    expect(await unreadRun(await served({ enforcement_mode: 'block' }))).toEqual(UNAVAILABLE);
    expect(await unreadRun(await attached(own))).toEqual(UNAVAILABLE);
  });

  it('serves nothing that was refused, or that changed since', async () => {
    const ends: ((found: Attached) => Promise<unknown>)[] = [
      ({ db, bound }) => db.revoke(bound, true).expect(200),
      ({ db, attachmentId }) => db.detach(attachmentId).expect(200),
      ({ db }) => db.policy({ enforcement_mode: 'block' }),
      ({ db, bound: { providerId } }) =>
        db.owner
          .put('/v1/admin/provider-tiers/classification:general', { provider_id: providerId, byok_required: true })
          .expect(200),
      ({ db }) => db.owner.delete(`${db.path}?force=true`).expect(204),
    ];
    for (const end of ends) {
      const found = await served();
      await end(found);
      expect([end.toString(), ...(await unreadRun(found))]).toEqual([end.toString(), ...UNAVAILABLE]);
    }
    const pinned = await served({}, 'us');
    await pinned.db.pin('eu');
    await own.infrastructure.state.publish('tenant.config.changed', tenantOf(pinned));
    expect(codeOf(await pinned.db.run(pinned.corpusId))).toEqual([403, MISMATCH]);
    expect(await unreadRun(pinned)).toEqual(UNAVAILABLE);
  });

  it('a new pin ends what was served before it', async () => {
    const found = await served({}, 'us');
    const pins = own.app.nest.get(PinnedAttachments, { strict: false });
    await own.as(tenantOf(found), () => own.infrastructure.uow.run(() => pins.found('eu')));
    expect(await unreadRun(found)).toEqual(UNAVAILABLE);
  });

  it('does not take a fault of its own for one of the database', async () => {
    const found = await served();
    const rules = own.app.nest.get(CorpusAccess, { strict: false });
    const failing = jest.spyOn(rules, 'find').mockRejectedValue(new TypeError('undefined is not a function'));
    try {
      expect(codeOf(await found.db.run(found.corpusId))).toEqual([500, 'INTERNAL_ERROR']);
    } finally {
      failing.mockRestore();
    }
  });

  it('serves nothing where RESIDENCY_FAIL_MODE is closed', async () => {
    const closed = await TestApp.start({ RESIDENCY_FAIL_MODE: 'closed' }, {}, false);
    try {
      const found = await attached(closed);
      await found.db.run(found.corpusId).expect(200);
      expect(await unreadRun(found, closed)).toEqual(UNAVAILABLE);
    } finally {
      await closed.close();
    }
  });
});
