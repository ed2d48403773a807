import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Corpora } from '../../../src/features/corpora/index.js';
import { parseBundle, type Caller, type Screen } from '../../../src/features/policy-bundles/index.js';
import { TenantConfigs } from '../../../src/features/residency/index.js';
import { Retriever, type Retrieval } from '../../../src/features/retrieval/index.js';
import { runInContext, systemContext } from '../../../src/kernel/context.js';
import { TestApp, type Actor } from '../../harness/app.js';
import { startRerankServer, type RerankServer } from '../../harness/rerank-server.js';
import { parseEvents } from '../../harness/sse.js';
import { dataOf, expectRefused, itemsOf, type Json } from '../authz/authz.js';
import { newCorpus, putChunks } from '../retrieval/chunks.js';
import { ScriptedChat } from '../run/scripted-chat.js';
import { only } from '../run/stage.js';

const POLICY = '/v1/admin/policy';
const MARKER = '[REDACTED by policy]';

const chat = new ScriptedChat();
let reranker: RerankServer;
let app: TestApp;

beforeAll(async () => {
  reranker = await startRerankServer();
  app = await TestApp.start({ ...reranker.env, DEBUG_EVENTS: 'true', LOG_LEVEL: 'DEBUG' }, { chat }, false);
});
afterAll(async () => {
  await app.close();
  await reranker.close();
});

type Mode = 'log_only' | 'enforce';

/** A tenant with a corpus of labelled documents. */
interface Shop {
  readonly admin: Actor;
  readonly corpusId: string;
}

async function shop(documents: readonly (readonly [text: string, label?: string])[], retrieval?: Json): Promise<Shop> {
  const admin = await app.actor('admin');
  const corpusId = await newCorpus(admin, retrieval);
  for (const [text, label] of documents) {
    const id = await putChunks(app, admin.tenantId, corpusId, [{ text }]);
    if (label === undefined) continue;
    await app.rows(
      `INSERT INTO document_labels (tenant_id, document_id, key, value) VALUES ($1, $2, 'sensitivity', $3)`,
      [admin.tenantId, id, label],
    );
  }
  return { admin, corpusId };
}

async function setMode({ admin }: Shop, mode: Mode): Promise<void> {
  await app.rows(
    `INSERT INTO tenant_configs (tenant_id, config) VALUES ($1, jsonb_build_object('policy_mode', $2::text))
     ON CONFLICT ON CONSTRAINT pk_tenant_configs DO UPDATE SET config = EXCLUDED.config`,
    [admin.tenantId, mode],
  );
  await app.app.nest.get(TenantConfigs, { strict: false }).forget(admin.tenantId);
}

const rules = (action: 'deny' | 'redact', when: Json = {}): string =>
  JSON.stringify({ version: 1, rules: [{ id: 'no-pii', when: { chunk_has_any_label: ['pii'], ...when }, action }] });

async function install({ admin }: Shop, yaml_content: string): Promise<void> {
  await admin.post(`${POLICY}/bundles`, { tenant_id: admin.tenantId, yaml_content, activate: true }).expect(200);
}

const search = async ({ admin, corpusId }: Shop, topK = 20, by = admin): Promise<Json[]> =>
  itemsOf(await by.get(`/v1/corpora/${corpusId}/search?q=penguin&top_k=${topK}`).expect(200));
const texts = (items: readonly { readonly text?: unknown }[]): unknown[] => items.map(({ text }) => text);

/** What the retriever finds for a caller of a type, or by what a replay gives it. */
function retrieve(
  { admin, corpusId }: Shop,
  { callerType, topK = 20, screen }: { callerType?: string; topK?: number; screen?: Screen } = {},
): Promise<Retrieval> {
  const principal = {
    subjectId: admin.userId,
    tenantId: admin.tenantId,
    role: 'admin',
    apiKeyId: admin.keyId,
    authMethod: 'api_key',
    subjectType: 'user',
    ...(callerType === undefined ? {} : { callerType }),
  } as const;
  const { nest } = app.app;
  return runInContext({ ...systemContext('r', admin.tenantId), principal }, async () => {
    const corpus = await nest.get(Corpora, { strict: false }).get(corpusId);
    return nest
      .get(Retriever, { strict: false })
      .retrieve(corpus, { query: 'penguin', topK, reader: 'principal', screen });
  });
}

const OPEN = 'A penguin eats krill.';
const SECRET = 'The penguin Otto has passport 4711.';

describe('19 case 22: a bundle that denies a label to a type of caller', () => {
  let zoo: Shop;
  const marketing = { callerType: 'marketing_tool' };
  beforeAll(async () => {
    zoo = await shop([[OPEN], [SECRET, 'PII']]);
    await install(zoo, rules('deny', { caller_type: 'marketing_tool' }));
  });

  it('in log_only delivers the same as without it, and says what it would have done', async () => {
    const { passages, screening, candidates } = await retrieve(zoo, marketing);
    expect(texts(passages).sort()).toEqual([OPEN, SECRET]);
    const secret = passages.find(({ text }) => text === SECRET);
    expect(secret).toMatchObject({
      labels: ['pii', 'sensitivity:pii'],
      redacted: false,
      chunkIndex: 0,
      documentVersion: 1,
    });
    expect(screening).toMatchObject({
      mode: 'log_only',
      bundleYaml: rules('deny', { caller_type: 'marketing_tool' }),
      applied: [{ chunk_id: secret?.chunkId, rule_id: 'no-pii', action: 'deny', matched_labels: ['pii'] }],
      skipped: [],
    });
    expect(candidates).toBe(2);
  });

  it('in enforce lets nothing of it through, and nothing happens to other callers', async () => {
    await setMode(zoo, 'enforce');
    const { passages, screening } = await retrieve(zoo, marketing);
    expect(texts(passages)).toEqual([OPEN]);
    expect(screening).toMatchObject({ mode: 'enforce', applied: [{ rule_id: 'no-pii', action: 'deny' }] });
    expect(texts((await retrieve(zoo)).passages).sort()).toEqual([OPEN, SECRET]);
    expect(texts(await search(zoo)).sort()).toEqual([OPEN, SECRET]);
  });

  it('that redacts has a marker stand in its place, which is all that a search, a model and a log get to see', async () => {
    await install(zoo, rules('redact'));
    const items = await search(zoo);
    expect(items.map(({ text, redacted }) => [text, redacted]).sort()).toEqual([
      [OPEN, false],
      [MARKER, true],
    ]);
    const question = { session_id: 's', corpus_id: zoo.corpusId, message: 'What about the penguin?' };
    const answer = await zoo.admin.post('/v1/run', question).expect(200);
    const { citations } = only(parseEvents(answer.text), 'message.final') as { citations: Json[] };
    expect(citations.map(({ chunk_id }) => chunk_id).sort()).toEqual(items.map(({ chunk_id }) => chunk_id).sort());
    expect(JSON.stringify(chat.lastCall.request)).toContain(MARKER);
    const kept = await app.rows(`SELECT * FROM checkpoints WHERE tenant_id = $1`, [zoo.admin.tenantId]);
    for (const seen of [chat.lastCall.request, answer.text, kept, await app.audit(zoo.admin.tenantId), app.logs]) {
      expect(JSON.stringify(seen)).not.toContain('4711');
    }
  });

  it('that denies takes it from searches and answers by its role', async () => {
    await install(zoo, rules('deny', { caller_type_in: ['reader'] }));
    const reader = await app.actor('reader', zoo.admin.tenantId);
    expect(texts(await search(zoo, 20, reader))).toEqual([OPEN]);
    const question = { session_id: 's2', corpus_id: zoo.corpusId, message: 'What about the penguin?', stream: false };
    const answer = await reader.post('/v1/run', question).expect(200);
    expect(dataOf(answer)['citations']).toHaveLength(1);
    expect(JSON.stringify(chat.lastCall.request)).toContain('krill');
    expect(JSON.stringify(chat.lastCall.request)).not.toContain('4711');
    expect(await search(zoo)).toHaveLength(2);
  });
});

describe('the number of results', () => {
  // A rule must not make answers worse for what it does not concern.
  it('is what was asked for, whenever so many are allowed among four times as many candidates', async () => {
    const denied = Array.from({ length: 6 }, (_, i) => [`penguin penguin penguin ${i}`, 'pii'] as const);
    const allowed = Array.from({ length: 4 }, (_, i) => [`A penguin and ${i} other birds of the sea.`] as const);
    const zoo = await shop([...denied, ...allowed]);
    const plain = await search(zoo, 2);
    expect(texts(plain).every((text) => String(text).startsWith('penguin penguin'))).toBe(true);
    await install(zoo, rules('deny'));
    expect(await search(zoo, 2)).toEqual(plain);
    await setMode(zoo, 'enforce');
    const { passages, candidates, screening } = await retrieve(zoo, { topK: 2 });
    expect(texts(passages).every((text) => String(text).startsWith('A penguin'))).toBe(true);
    expect([passages.length, candidates, screening.applied.length]).toEqual([2, 8, 6]);
    expect(await search(zoo, 2)).toHaveLength(2);
    expect(await search(zoo)).toHaveLength(4);
  });

  it('and their scores are the same as without a bundle while it only logs, also where more is looked at', async () => {
    const zoo = await shop([[SECRET, 'pii']]);
    const many = Array.from({ length: 130 }, (_, i) => ({ text: `penguin ${'fish '.repeat(i)}` }));
    await putChunks(app, zoo.admin.tenantId, zoo.corpusId, many);
    const before = await retrieve(zoo, { topK: 40 });
    await install(zoo, rules('deny'));
    const after = await retrieve(zoo, { topK: 40 });
    expect(after.passages).toEqual(before.passages);
    expect([before.candidates, after.candidates]).toEqual([40, 100]);
  });
});

describe('a reranking model', () => {
  it('gets no text that is denied, and the marker for one that is redacted', async () => {
    const zoo = await shop([[OPEN], [SECRET, 'pii'], ['The penguin Ada has passport 4712.', 'pii']], {
      provider: 'local_pgvector',
      rerank: true,
    });
    await setMode(zoo, 'enforce');
    const sent = (): string => JSON.stringify(reranker.http.requests.at(-1)?.body);
    await install(zoo, rules('deny'));
    expect(texts(await search(zoo))).toEqual([OPEN]);
    expect(sent()).toContain('krill');
    expect(sent()).not.toContain('passport');
    await install(zoo, rules('redact'));
    expect(texts(await search(zoo))).toEqual([OPEN, MARKER, MARKER]);
    expect(sent()).toContain(MARKER);
    expect(sent()).not.toContain('passport');
  });
});

describe('a replay', () => {
  it('19 case 24: screens by the bundle, mode and caller that it gives, whatever is in force now', async () => {
    const zoo = await shop([[OPEN], [SECRET, 'pii']]);
    const yaml = rules('deny', { caller_type: 'marketing_tool' });
    const caller: Caller = { type: 'marketing_tool', id: 'k' };
    const parsed = parseBundle(yaml);
    if (!parsed.ok) throw new Error(parsed.reason);
    const { passages, screening } = await retrieve(zoo, { screen: { bundle: parsed.bundle, mode: 'enforce', caller } });
    expect(texts(passages)).toEqual([OPEN]);
    expect(screening).toMatchObject({
      bundleHash: parsed.bundle.hash,
      bundleYaml: yaml,
      applied: [{ rule_id: 'no-pii' }],
    });
    await install(zoo, rules('deny'));
    await setMode(zoo, 'enforce');
    const without = await retrieve(zoo, { screen: { bundle: undefined, mode: 'enforce', caller } });
    expect(texts(without.passages).sort()).toEqual([OPEN, SECRET]);
    expect(without.screening).toEqual({
      bundleHash: null,
      bundleYaml: null,
      mode: 'enforce',
      unavailable: false,
      applied: [],
      skipped: [],
    });
  });
});

describe('a bundle that cannot be read', () => {
  it('stops what the tenant enforces, and only what it enforces; it is read again as soon as it can be', async () => {
    const zoo = await shop([[OPEN], [SECRET, 'pii']]);
    await install(zoo, rules('deny'));
    const write = (yaml: string): Promise<unknown> =>
      app.rows(`UPDATE policy_bundles SET yaml_content = $2 WHERE tenant_id = $1`, [zoo.admin.tenantId, yaml]);
    expect((await retrieve(zoo)).screening).toMatchObject({ unavailable: false });
    await write('rules: [');
    await zoo.admin.post(`${POLICY}/reload`).expect(200);
    expect(await search(zoo)).toHaveLength(2);
    expect((await retrieve(zoo)).screening).toMatchObject({ bundleHash: null, mode: 'log_only', unavailable: true });
    const open = { session_id: 's0', corpus_id: zoo.corpusId, message: 'What about the penguin?', stream: false };
    const { receipt_id: id } = dataOf(await zoo.admin.post('/v1/run', open).expect(200));
    const { policy } = dataOf(await zoo.admin.get(`/v1/receipts/${String(id)}`).expect(200));
    const unread = { engine: 'governance', effect: 'note', code: 'POLICY_UNAVAILABLE' };
    expect(policy).toMatchObject({
      policy_bundle_hash: null,
      decisions: expect.arrayContaining([expect.objectContaining(unread)]) as unknown,
    });
    expect(app.logs).toContainEqual(
      expect.objectContaining({ msg: 'policy_bundle_unavailable_not_screening', tenant_id: zoo.admin.tenantId }),
    );
    await setMode(zoo, 'enforce');
    const path = `/v1/corpora/${zoo.corpusId}/search?q=penguin`;
    expectRefused(await zoo.admin.get(path), 503, 'POLICY_UNAVAILABLE');
    const calls = chat.calls.length;
    const question = { session_id: 's3', corpus_id: zoo.corpusId, message: 'What about the penguin?' };
    const answer = await zoo.admin.post('/v1/run', question).expect(200);
    expect(only(parseEvents(answer.text), 'error')).toMatchObject({ code: 'POLICY_UNAVAILABLE' });
    expect(chat.calls).toHaveLength(calls);
    await write(rules('deny'));
    expect(texts(await search(zoo))).toEqual([OPEN]);
  });
});
