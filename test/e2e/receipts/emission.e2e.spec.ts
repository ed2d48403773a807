import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { REDACTED } from '../../../src/features/policy-bundles/domain/screening.js';
import { QuestionVault } from '../../../src/features/receipts/application/question-vault.js';
import { ReceiptRetries } from '../../../src/features/receipts/application/receipt-retries.js';
import { SigningKeys } from '../../../src/features/receipts/domain/signing-keys.js';
import { Replica } from '../../harness/replica.js';
import { until } from '../../harness/until.js';
import { newCorpus, putChunks } from '../retrieval/chunks.js';
import { Gate, says, ScriptedChat } from '../run/scripted-chat.js';
import { newSession, only, types } from '../run/stage.js';
import { Witness, type Body } from './witness.js';

const sha256 = (text: string): string => createHash('sha256').update(text, 'utf8').digest('hex');
const ULID = /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/;

const FIELDS =
  `as_of caller_id caller_type corpus_id created_at failover_epoch mode model outcome output parent_receipt_id
  policy policy_snapshot query_id query_sha256 receipt_id receipt_signature receipt_signature_algorithm
  receipt_signature_key_id region region_id request_id retrieval schema_version selected_entries session_id signing
  status subject_id task task_id tenant_id tenant_pin`.split(/\s+/);
const ENTRY_FIELDS = `chunk_id chunk_index content_bytes content_sha256 document_id document_version external_ref labels
  provenance_hash rank redacted score source type`.split(/\s+/);
const OUTCOME_FIELDS = `answer_bytes answer_sha256 error_code finished_at input_units message_id output_units receipt_id
  receipt_signature receipt_signature_algorithm receipt_signature_key_id status`.split(/\s+/);

let witness: Witness;
let chat: ScriptedChat;

beforeAll(async () => {
  chat = new ScriptedChat();
  witness = await Witness.start({ STATEWAVE_REGION: 'eu', LLM_REGION: 'eu-central-1' }, chat);
});
afterAll(() => witness.close());

/** The context block as the model got it. */
function contextSeen(): string {
  return chat.lastCall.request.messages.at(-1)?.content.split('\n\n')[0] ?? '';
}

describe('the receipt of an answer', () => {
  it('19 case 14: has the id of the header, and hashes of exactly what the model was given', async () => {
    const { stage } = witness;
    const stream = await stage.open();
    const events = await stream.end();
    const id = stream.response.headers.get('X-Receipt-Id') ?? '';
    expect(id).toMatch(ULID);
    expect(only(events, 'message.final')).toMatchObject({ receipt_id: id, receipt_emitted: true });
    expect(only(events, 'done')).toEqual({ receipt_id: id });
    const receipt = await witness.get(id);
    const context = contextSeen();
    const texts = chat.lastCall.request.passages.map(({ text }) => text);
    expect(texts).toHaveLength(2);
    expect(receipt.selected_entries.map(({ rank }: Body) => rank)).toEqual([1, 2]);
    expect(receipt.selected_entries.map((entry: Body) => entry.content_sha256)).toEqual(texts.map(sha256));
    expect(receipt.output).toMatchObject({
      context_hash: sha256(context),
      context_size_bytes: Buffer.byteLength(context),
    });
    expect(receipt).toMatchObject({
      region: 'eu',
      mode: 'retrieval',
      tenant_id: witness.tenantId,
      corpus_id: stage.corpusId,
      query_sha256: sha256('What do penguins eat?'),
      task: null,
      caller_id: stage.reader.keyId,
      caller_type: 'reader',
      status: 'active',
      signing: { requested_key_id: 'k-1', status: 'ok' },
    });
    expect(receipt.model).toMatchObject({
      llm_provider: 'scripted',
      llm_model: 'scripted-1',
      llm_region: 'eu-central-1',
      embedding_provider: 'fake',
      embedding_model: 'fake-v1',
    });
    expect(receipt.retrieval.provider_region).toBe('eu');
    expect(receipt.policy.decisions).toEqual([
      { engine: 'abac', policy_id: expect.any(String), version: null, effect: 'allow', code: null },
      {
        engine: 'entitlement',
        policy_id: 'feature.retrieval.local_pgvector',
        version: null,
        effect: 'allow',
        code: null,
      },
    ]);
    expect(receipt.outcome).toMatchObject({
      status: 'completed',
      answer_sha256: sha256('Hello world.'),
      receipt_signature_key_id: 'k-1',
    });
  });

  it('19 case 14: says nothing of a region in single-region mode, and has every field', async () => {
    const single = await Witness.start({ REGION_ID: 'fra-1' }, new ScriptedChat());
    try {
      const receipt = await single.get(await single.receiptOf());
      expect(receipt).toMatchObject({ region: null, region_id: 'fra-1', tenant_pin: null });
      expect(Object.keys(receipt).sort()).toEqual(FIELDS);
      expect(Object.keys(receipt.selected_entries[0]).sort()).toEqual(ENTRY_FIELDS);
      expect(Object.keys(receipt.outcome).sort()).toEqual(OUTCOME_FIELDS);
    } finally {
      await single.close();
    }
  });

  it('never holds the question or a text in clear', async () => {
    const id = await witness.receiptOf({ message: 'Which penguins eat krill by moonlight?' });
    const [row] = await witness.app.rows(
      `SELECT to_jsonb(r)::text AS receipt, (SELECT sealed FROM receipt_queries q WHERE q.receipt_id = r.receipt_id)
         FROM receipts r WHERE receipt_id = $1`,
      [id],
    );
    const { receipt, sealed } = row as { receipt: string; sealed: Buffer };
    expect(receipt).not.toMatch(/moonlight|krill/);
    expect(sealed.includes('moonlight')).toBe(false);
  });

  it('is stored and verifies where documents have the most and longest labels', async () => {
    const { app, stage, tenantId } = witness;
    const corpus_id = await newCorpus(stage.editor);
    const texts = Array.from({ length: 12 }, (_, at) => ({ text: `A penguin of the ${at}th kind.` }));
    for (const chunk of texts) {
      const documentId = await putChunks(app, tenantId, corpus_id, [chunk]);
      await app.rows(
        `INSERT INTO document_labels (tenant_id, document_id, key, value)
         SELECT $1, $2, 'k' || n, repeat('護', 252) FROM generate_series(10, 41) n`,
        [tenantId, documentId],
      );
    }
    const id = await witness.receiptOf({ corpus_id, message: 'Which kind of penguin?', top_k: 12 });
    const { selected_entries } = await witness.get(id);
    expect(selected_entries).toHaveLength(12);
    for (const { labels } of selected_entries)
      expect(labels).toEqual([...['k10', 'k11', 'k12'].map((key) => `${key}:${'護'.repeat(252)}`), '…']);
    expect(await witness.verify(id)).toMatchObject({ valid: true, reason: 'ok' });
  });

  it('keeps what the caller says about it, and refuses a parent that is none of theirs', async () => {
    const parent = await witness.receiptOf({ query_id: 'q-1', task_id: 't-1' });
    expect(await witness.get(parent)).toMatchObject({ query_id: 'q-1', task_id: 't-1', parent_receipt_id: null });
    const child = await witness.receiptOf({ parent_receipt_id: parent });
    expect(await witness.get(child)).toMatchObject({ parent_receipt_id: parent, query_id: expect.any(String) });
    const stranger = await witness.app.actor('admin');
    await stranger.post('/v1/corpora', { id: 'own', name: 'own' }).expect(201);
    const body = { ...witness.stage.body({ stream: false }), corpus_id: 'own' };
    for (const parent_receipt_id of [parent, `01${'0'.repeat(24)}`, 'x']) {
      const refused = await stranger.post('/v1/run', { ...body, parent_receipt_id }).expect(422);
      expect(refused.body.error.code).toBe('REQUEST_VALIDATION_ERROR');
    }
  });
});

describe('the receipts of a session', () => {
  it('are found by operators in all tenants but those that are pinned elsewhere', async () => {
    const operator = await witness.app.actor('admin');
    const owners = [await witness.app.actor('admin'), await witness.app.actor('admin')];
    const session_id = newSession();
    const ids: string[] = [];
    for (const owner of owners) {
      await owner.post('/v1/corpora', { id: 'own', name: 'own' }).expect(201);
      ids.unshift(await witness.receiptOf({ corpus_id: 'own', session_id }, owner));
    }
    const found = async (): Promise<string[]> => {
      const { body } = await operator.get(`/v1/admin/receipts?subject_id=${session_id}`).expect(200);
      return body.data.receipts.map(({ receipt_id }: Body) => receipt_id);
    };
    expect(await found()).toEqual(ids);
    await witness.configure({ region: 'us' }, owners[0]?.tenantId);
    expect(await found()).toEqual(ids.slice(0, 1));
  });
});

describe('whether there is one', () => {
  it.each([
    [{ receipts: 'never' }, { emit_receipt: true }, false],
    [{ receipts: 'on_request' }, {}, false],
    [{ receipts: 'on_request' }, { emit_receipt: true }, true],
    [{ receipts: 'always' }, {}, true],
    [{}, {}, true],
  ])('%j and %j: %s', async (config, body, emitted) => {
    await witness.configure(config);
    const stream = await witness.stage.open(body);
    const final = only(await stream.end(), 'message.final');
    expect(final.receipt_emitted).toBe(emitted);
    expect(final.receipt_id).toEqual(emitted ? expect.stringMatching(ULID) : null);
    expect(stream.response.headers.get('X-Receipt-Id')).toBe(final.receipt_id);
    await witness.configure({});
  });

  it('is none while STATEWAVE_RECEIPTS_DISABLED is set', async () => {
    const disabled = await Witness.start({ STATEWAVE_RECEIPTS_DISABLED: 'yes' }, new ScriptedChat());
    await disabled.configure({ receipts: 'always', receipt_enforcement: 'required' });
    expect(await disabled.ask({ emit_receipt: true })).toMatchObject({ receipt_emitted: false, receipt_id: null });
    await disabled.close();
  });
});

describe('an answer that does not end well', () => {
  it('19 case 15: leaves its receipt without an outcome when the process dies, which is what there is after the first token', async () => {
    const gate = new Gate();
    chat.script = says('Hello', gate, ' world.');
    const stream = await witness.stage.open();
    await stream.until((event) => event.data.type === 'token.delta');
    const id = stream.response.headers.get('X-Receipt-Id') ?? '';
    // A process that dies here does nothing more: this is what it leaves.
    const receipt = await witness.get(id);
    expect(receipt.outcome).toBeUndefined();
    expect(await witness.verify(id)).toMatchObject({ valid: true, outcome_valid: null });
    gate.open();
    await stream.end();
    expect((await witness.get(id)).outcome.status).toBe('completed');
    chat.script = says('Hello', ' world.');
  });

  it('19 case 15: has the outcome disconnected when the client leaves, with the hash of what it was sent', async () => {
    const gate = new Gate();
    chat.script = says('Hello', gate);
    const stream = await witness.stage.open();
    await stream.until((event) => event.data.type === 'token.delta');
    const id = stream.response.headers.get('X-Receipt-Id') ?? '';
    stream.abort();
    await until(async () => (await witness.get(id)).outcome !== undefined);
    const { outcome } = await witness.get(id);
    expect(outcome).toMatchObject({ status: 'disconnected', answer_sha256: sha256('Hello'), error_code: null });
    expect(await witness.verify(id)).toMatchObject({ valid: true, outcome_valid: true });
    chat.script = says('Hello', ' world.');
  });

  it('has the outcome error with its code when the model fails', async () => {
    chat.script = says('Hello', new Error('gone'));
    const stream = await witness.stage.open();
    const events = await stream.end();
    const id = stream.response.headers.get('X-Receipt-Id') ?? '';
    expect(only(events, 'done')).toEqual({ receipt_id: id });
    expect((await witness.get(id)).outcome).toMatchObject({ status: 'error', error_code: 'UNKNOWN_ERROR' });
    chat.script = says('Hello', ' world.');
  });
});

/** While a table takes no new rows. */
async function failing(work: () => Promise<void>, table = 'receipts'): Promise<void> {
  await witness.stage.asOwner(`ALTER TABLE ${table} ADD CONSTRAINT ck_away CHECK (false) NOT VALID`);
  try {
    await work();
  } finally {
    await witness.stage.asOwner(`ALTER TABLE ${table} DROP CONSTRAINT ck_away`);
  }
}

describe('an outcome that cannot be written', () => {
  const session_id = newSession();
  const idOf = (stream: { response: globalThis.Response }): string => stream.response.headers.get('X-Receipt-Id') ?? '';

  it('19 §5.6: costs neither the answer nor its message, and is written later', async () => {
    let id = '';
    await failing(async () => {
      const stream = await witness.stage.open({ session_id });
      id = idOf(stream);
      expect(only(await stream.end(), 'message.final')).toMatchObject({ receipt_id: id, text: 'Hello world.' });
      const kept = (await witness.stage.messages(session_id)).map(({ content }) => content);
      expect(kept).toEqual(['What do penguins eat?', 'Hello world.']);
      expect((await witness.get(id)).outcome).toBeUndefined();
    }, 'receipt_outcomes');
    await until(async () => (await witness.get(id)).outcome !== undefined);
    expect((await witness.get(id)).outcome).toMatchObject({
      status: 'completed',
      answer_sha256: sha256('Hello world.'),
    });
    expect(await witness.verify(id)).toMatchObject({ valid: true, outcome_valid: true });
  });

  it('19 §5.6: does not keep the session of a run that fails, and is written later', async () => {
    let id = '';
    await failing(async () => {
      chat.script = says('Hello', new Error('gone'));
      const stream = await witness.stage.open({ session_id });
      id = idOf(stream);
      expect(only(await stream.end(), 'error').code).toBe('UNKNOWN_ERROR');
      chat.script = says('Hello', ' world.');
      expect(only(await witness.stage.ask({ session_id }), 'message.final').text).toBe('Hello world.');
    }, 'receipt_outcomes');
    await until(async () => (await witness.get(id)).outcome !== undefined);
    expect((await witness.get(id)).outcome).toMatchObject({ status: 'error', error_code: 'UNKNOWN_ERROR' });
  });

  it('19 §5.6: because nobody can sign what a model counted costs the answer nothing', async () => {
    chat.script = async function* () {
      yield { type: 'delta', text: 'Hello world.' };
      yield { type: 'usage', inputTokens: 12.5, outputTokens: 2 ** 40 };
    };
    const stream = await witness.stage.open();
    expect(only(await stream.end(), 'message.final')).toMatchObject({ receipt_id: idOf(stream) });
    expect((await witness.get(idOf(stream))).outcome).toBeUndefined();
    chat.script = says('Hello', ' world.');
  });
});

describe('a receipt that cannot be written', () => {
  it('has no outcome when it cannot even be composed', async () => {
    const vault = witness.app.app.nest.get(QuestionVault, { strict: false });
    const seal = jest.spyOn(vault, 'seal').mockImplementation(() => {
      throw new Error('broken');
    });
    const stream = await witness.stage.open();
    const id = stream.response.headers.get('X-Receipt-Id') ?? '';
    expect(only(await stream.end(), 'message.final')).toMatchObject({ receipt_id: null, receipt_emitted: false });
    seal.mockRestore();
    expect(await witness.app.rows('SELECT 1 FROM receipt_outcomes WHERE receipt_id = $1', [id])).toEqual([]);
  });

  it('19 case 20: does not keep the answer back, and is written later', async () => {
    let id = '';
    await failing(async () => {
      const stream = await witness.stage.open();
      id = stream.response.headers.get('X-Receipt-Id') ?? '';
      const events = await stream.end();
      expect(only(events, 'message.final')).toMatchObject({ receipt_id: null, receipt_emitted: false });
      expect(types(events)).toContain('token.delta');
      await witness.admin.get(`/v1/receipts/${id}`).expect(404);
    });
    await until(async () => (await witness.admin.get(`/v1/receipts/${id}`)).status === 200);
    expect(await witness.verify(id)).toMatchObject({ valid: true, outcome_valid: true });
    const failed = (await witness.app.audit(witness.tenantId)).filter(
      ({ event_type, resource_id }) => event_type === 'receipt.emission_failed' && resource_id === id,
    );
    expect(failed).toEqual([expect.objectContaining({ resource_id: id, outcome: 'failure' })]);
  });

  it('19 §5.6: is written by the next process, with its question and outcome, when the one that answered dies', async () => {
    const { app } = witness;
    // What a process that is gone does.
    const flush = jest.spyOn(app.app.nest.get(ReceiptRetries, { strict: false }), 'flush').mockResolvedValue();
    let id = '';
    await failing(async () => {
      await failing(async () => {
        const stream = await witness.stage.open();
        id = stream.response.headers.get('X-Receipt-Id') ?? '';
        expect(only(await stream.end(), 'message.final')).toMatchObject({ receipt_id: null });
      }, 'receipt_outcomes');
    });
    await witness.admin.get(`/v1/receipts/${id}`).expect(404);
    const next = await Replica.of(app);
    try {
      await until(async () => (await witness.admin.get(`/v1/receipts/${id}`)).body.data?.outcome !== undefined);
      expect(await witness.verify(id)).toMatchObject({ valid: true, outcome_valid: true });
      expect(await witness.replay(id)).toMatchObject({ diff: { context_hash: { changed: false } } });
    } finally {
      await next.close();
      flush.mockRestore();
    }
  });

  it('19 case 20: is an error without a token and without a question to the model where receipts are required', async () => {
    await witness.configure({ receipt_enforcement: 'required' });
    await failing(async () => {
      const asked = chat.calls.length;
      const events = await witness.stage.ask();
      expect(only(events, 'error').code).toBe('RECEIPT_UNAVAILABLE');
      expect(types(events)).not.toContain('token.delta');
      expect(types(events).at(-1)).toBe('done');
      expect(chat.calls).toHaveLength(asked);
      const single = await witness.stage.reader.post('/v1/run', witness.stage.body({ stream: false })).expect(503);
      expect(single.body.error.code).toBe('RECEIPT_UNAVAILABLE');
    });
    expect(await witness.ask()).toMatchObject({ receipt_emitted: true });
    await witness.configure({});
  });

  it('19 case 20: is a 503 before the stream where the key is missing and receipts are required, and unsigned elsewhere', async () => {
    await witness.configure({ receipt_enforcement: 'required', receipt_signing_key_id: 'k-9' });
    const session_id = newSession();
    const refused = await witness.stage.reader.post('/v1/run', witness.stage.body({ session_id })).expect(503);
    expect(refused.body.error.code).toBe('RECEIPT_SIGNING_UNAVAILABLE');
    expect(refused.get('Content-Type')).toContain('application/json');
    expect(await witness.stage.messages(session_id)).toEqual([]);
    await witness.configure({ receipt_signing_key_id: 'k-9' });
    const id = await witness.receiptOf();
    expect(await witness.get(id)).toMatchObject({
      receipt_signature: null,
      receipt_signature_key_id: null,
      signing: { requested_key_id: 'k-9', status: 'key_unavailable' },
    });
    expect(await witness.verify(id)).toMatchObject({ valid: null, reason: 'no_signature', key_id: null });
    const unsigned = (await witness.app.audit(witness.tenantId)).filter(
      ({ event_type }) => event_type === 'receipt.unsigned',
    );
    expect(unsigned.map(({ resource_id }) => resource_id)).toContain(id);
    await witness.configure({});
  });
});

describe('a key that fails', () => {
  it('leaves the receipt unsigned, or ends the stream before a token where receipts are required', async () => {
    const key = witness.app.app.nest.get(SigningKeys, { strict: false }).find('k-1');
    if (key === undefined) throw new Error('There is no k-1.');
    const sign = jest.spyOn(key, 'sign').mockImplementation(() => {
      throw new Error('broken');
    });
    try {
      const id = await witness.receiptOf();
      expect(await witness.get(id)).toMatchObject({ receipt_signature: null, signing: { status: 'failed' } });
      await witness.configure({ receipt_enforcement: 'required' });
      const asked = chat.calls.length;
      const events = await witness.stage.ask();
      expect(only(events, 'error').code).toBe('RECEIPT_SIGNING_UNAVAILABLE');
      expect([types(events).includes('token.delta'), chat.calls.length]).toEqual([false, asked]);
    } finally {
      sign.mockRestore();
      await witness.configure({});
    }
  });
});

describe('what a policy bundle does', () => {
  it('is in the receipt: filters, snapshot and the hash of the marker that the model was given', async () => {
    const yaml = JSON.stringify({
      version: 1,
      rules: [{ id: 'no-pii', action: 'redact', when: { chunk_has_any_label: ['pii'] } }],
    });
    const body = { tenant_id: witness.tenantId, yaml_content: yaml, activate: true };
    await witness.admin.post('/v1/admin/policy/bundles', body).expect(200);
    const [{ document_id } = { document_id: '' }] = await witness.app.rows<{ document_id: string }>(
      'SELECT document_id FROM chunks WHERE tenant_id = $1 AND corpus_id = $2 LIMIT 1',
      [witness.tenantId, witness.stage.corpusId],
    );
    await witness.app.rows(
      `INSERT INTO document_labels (tenant_id, document_id, key, value) VALUES ($1, $2, 'sensitivity', 'pii')`,
      [witness.tenantId, document_id],
    );
    await witness.configure({ policy_mode: 'enforce' });
    const receipt = await witness.get(await witness.receiptOf());
    expect(receipt.selected_entries).toHaveLength(2);
    for (const entry of receipt.selected_entries) {
      expect(entry).toMatchObject({ redacted: true, content_sha256: sha256(REDACTED), document_version: 1 });
      expect(entry.labels).toContain('pii');
    }
    expect(receipt.policy).toMatchObject({ mode: 'enforce', filters_skipped: [] });
    expect(receipt.policy.filters_applied).toHaveLength(2);
    expect(receipt.policy_snapshot).toMatchObject({ bundle_yaml: yaml, policy_mode: 'enforce' });
    await witness.configure({});
  });
});
