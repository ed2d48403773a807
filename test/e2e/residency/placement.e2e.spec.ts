import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startJobs } from '../../../src/app/jobs.js';
import { TenantConfigs } from '../../../src/features/residency/index.js';
import { Runs } from '../../../src/features/run/application/runs.js';
import { runInContext, systemContext } from '../../../src/kernel/context.js';
import { TestApp, type Actor } from '../../harness/app.js';
import { eventually } from '../../harness/eventually.js';
import { configure, expectError, OPERATED, pin } from './pinned.js';

const ENV = {
  STATEWAVE_REGION: 'eu',
  RESIDENCY_REGION_MAP_JSON: '{"us-east-1":"us","eu-central-1":"eu"}',
  LLM_REGION: 'us-east-1',
  ...OPERATED,
};
const BEDROCK = { retrieval: { provider: 'aws_bedrock_kb', knowledge_base_id: 'kb', region: 'us-east-1' } };
const NEAR = { retrieval: { ...BEDROCK.retrieval, region: 'eu-central-1' } };

let app: TestApp;
let operator: Actor;
beforeAll(async () => {
  app = await TestApp.start(ENV);
  await app.rows(`INSERT INTO tenants (id, name) VALUES ('ops', 'Operators')`);
  operator = await app.actor('admin', 'ops');
});
afterAll(() => app.close());

const setPin = (tenantId: string, body: object): Promise<unknown> =>
  operator.patch(`/v1/admin/tenants/${tenantId}/config`, body).expect(200);
const question = (corpus_id: string): object => ({ session_id: 's', corpus_id, message: 'Hello?' });

async function eventsOf(tenantId: string, type: string): Promise<unknown[]> {
  const events = (await app.audit(tenantId)).filter(({ event_type }) => event_type === type);
  return events.map(({ outcome, metadata_json }) => [outcome, (metadata_json as { surface: string }).surface]);
}

describe('a corpus on a provider outside the pin', () => {
  it('19 case 26: can neither be made, nor set up, nor asked, searched or fed', async () => {
    const admin = await app.actor('admin');
    for (const [id, provider_config_json] of [
      ['far', BEDROCK],
      ['near', NEAR],
      ['local', {}],
    ] as const) {
      await admin.post('/v1/corpora', { id, name: id, provider_config_json }).expect(201);
    }
    const document = { corpus_id: 'far', text: 'A text.' };
    await setPin(admin.tenantId, { region: 'eu' });
    const code = 'residency.provider_mismatch';
    expectError(await admin.post('/v1/corpora', { name: 'C', provider_config_json: BEDROCK }), 409, code);
    expectError(await admin.patch('/v1/corpora/local', { provider_config_json: BEDROCK }), 409, code);
    await admin.patch('/v1/corpora/far', { name: 'Far away' }).expect(200);
    await admin.patch('/v1/corpora/local', { provider_config_json: NEAR }).expect(200);
    const run = await admin.post('/v1/run', question('far'));
    expectError(run, 403, code);
    expect(run.get('Content-Type')).toMatch(/json/);
    expect(run.body.error.details).toEqual({ provider: 'aws_bedrock_kb', provider_region: 'us-east-1' });
    expect(await app.rows('SELECT 1 FROM messages WHERE tenant_id = $1', [admin.tenantId])).toEqual([]);
    expectError(await admin.get('/v1/corpora/far/search?q=x'), 403, code);
    expectError(await admin.post('/v1/documents/text', document), 403, code);
    expectError(await admin.post('/v1/corpora/far/reembed'), 403, code);
    expectError(await admin.post('/v1/corpora/missing/reembed'), 404, 'NOT_FOUND');
    expect(await app.rows('SELECT 1 FROM documents WHERE tenant_id = $1', [admin.tenantId])).toEqual([]);
    expect(await eventsOf(admin.tenantId, code)).toEqual(Array.from({ length: 6 }, () => ['failure', 'provider']));
    await setPin(admin.tenantId, { region: '' });
    await admin.post('/v1/documents/text', document).expect(202);
  });
});

describe('a model outside the pin', () => {
  const corpusOf = async (admin: Actor): Promise<string> => {
    await admin.post('/v1/corpora', { id: 'c', name: 'C' }).expect(201);
    return 'c';
  };

  it('12.4: is asked and recorded where egress is monitored, and the run knows', async () => {
    const admin = await app.actor('admin');
    const corpus = await corpusOf(admin);
    await setPin(admin.tenantId, { region: 'eu' });
    await admin.post('/v1/run', question(corpus)).expect(200);
    expect(await eventsOf(admin.tenantId, 'residency.egress')).toEqual([['success', 'llm']]);
    const { tenantId, userId, keyId } = admin;
    const principal = {
      subjectId: userId,
      tenantId,
      role: 'admin',
      apiKeyId: keyId,
      authMethod: 'api_key',
      subjectType: 'user',
    } as const;
    const receipt = { emit: false, queryId: undefined, taskId: undefined, parentReceiptId: undefined };
    const asked = { sessionId: 't', corpusId: corpus, message: 'Hello?', audio: false, background: false, receipt };
    const run = await runInContext({ ...systemContext('r', tenantId), principal }, () =>
      app.app.nest.get(Runs, { strict: false }).accept('run-1', { ...asked, idempotencyKey: undefined }, principal),
    );
    expect(run.decisions).toEqual([
      { engine: 'abac', policyId: expect.any(String), effect: 'allow' },
      { engine: 'entitlement', policyId: 'feature.retrieval.local_pgvector', effect: 'allow' },
      { engine: 'residency', effect: 'allow' },
      { engine: 'residency', policyId: 'llm:us-east-1', effect: 'note', code: 'residency.egress' },
    ]);
  });

  it('12.4: is not asked where the tenant blocks egress: 403 before the stream, nothing stored', async () => {
    const admin = await app.actor('admin');
    const corpus = await corpusOf(admin);
    await setPin(admin.tenantId, { region: 'eu', egress_mode: 'block' });
    const run = await admin.post('/v1/run', question(corpus));
    expectError(run, 403, 'residency.egress_blocked');
    expect(run.get('Content-Type')).toMatch(/json/);
    expect(await app.rows('SELECT 1 FROM sessions WHERE tenant_id = $1', [admin.tenantId])).toEqual([]);
    await admin.get(`/v1/corpora/${corpus}/search?q=x`).expect(200);
    await setPin(admin.tenantId, { egress_mode: 'off' });
    await admin.post('/v1/run', question(corpus)).expect(200);
    expect(await eventsOf(admin.tenantId, 'residency.egress')).toEqual([['failure', 'llm']]);
  });

  it('is checked again by the worker, which gives the document up', async () => {
    const far = await TestApp.start({ ...ENV, EMBEDDING_REGION: 'us', RESIDENCY_EGRESS_MODE: 'block' }, {}, false);
    const admin = await far.actor('admin');
    try {
      await admin.post('/v1/corpora', { id: 'c', name: 'C' }).expect(201);
      const document = { corpus_id: 'c', document_id: 'd', text: 'A text.' };
      await admin.post('/v1/documents/text', document).expect(202);
      await pin(far, admin.tenantId, 'eu');
      // Set past the API: nobody was told.
      await far.app.nest.get(TenantConfigs, { strict: false }).forget(admin.tenantId);
      expectError(
        await admin.post('/v1/documents/text', { ...document, document_id: 'e' }),
        403,
        'residency.egress_blocked',
      );
      const jobs = await startJobs(far.app.nest, far.infrastructure);
      await eventually(async () => {
        const { body } = await admin.get('/v1/documents/d').expect(200);
        expect(body.data).toMatchObject({
          status: 'failed',
          failure_reason: expect.stringContaining('model endpoint'),
        });
      }).finally(() => jobs.stop());
    } finally {
      await far.close();
    }
  });
});

describe('the egress mode of a tenant', () => {
  it('is that of the installation where the stored one is none', async () => {
    const admin = await app.actor('admin');
    await admin.post('/v1/corpora', { id: 'c', name: 'C' }).expect(201);
    await configure(app, admin.tenantId, { region: 'eu', egress_mode: 'sometimes' });
    await app.app.nest.get(TenantConfigs, { strict: false }).forget(admin.tenantId);
    await admin.post('/v1/run', question('c')).expect(200);
    expect(await eventsOf(admin.tenantId, 'residency.egress')).toEqual([['success', 'llm']]);
  });
});
