import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { RetentionHolds } from '../../../src/features/audit/index.js';
import { ReceiptErasure } from '../../../src/features/receipts/index.js';
import { putChunks } from '../retrieval/chunks.js';
import { ScriptedChat } from '../run/scripted-chat.js';
import { newSession } from '../run/stage.js';
import { Witness, type Body } from './witness.js';

const DAY_MS = 86_400_000;

let witness: Witness;
let chat: ScriptedChat;
beforeAll(async () => {
  chat = new ScriptedChat();
  witness = await Witness.start({}, chat);
});
afterAll(() => witness.close());

const add = (text: string): Promise<string> =>
  putChunks(witness.app, witness.tenantId, witness.stage.corpusId, [{ text }]);

async function refusal(id: string): Promise<string> {
  const response = await witness.admin.post(`/v1/receipts/${id}/replay`).expect(422);
  return response.body.error.code;
}

async function activate(rules: Body[]): Promise<string> {
  const yaml_content = JSON.stringify({ version: 1, rules });
  const body = { tenant_id: witness.tenantId, yaml_content, activate: true };
  return (await witness.admin.post('/v1/admin/policy/bundles', body).expect(200)).body.data.bundle_hash;
}

describe('a replay', () => {
  it('19 case 24: of what did not change finds no difference, asks no model and leaves a receipt of its own', async () => {
    const id = await witness.receiptOf({ query_id: 'q-7' });
    const asked = chat.calls.length;
    const replay = await witness.replay(id);
    expect(replay.original_receipt_id).toBe(id);
    expect(replay.original_verify).toMatchObject({ valid: true, reason: 'ok' });
    expect(replay.diff).toMatchObject({
      context_hash: { changed: false },
      selected_entries: { added: [], removed: [], common: 2 },
      filters_applied: { added: [], removed: [] },
      changed: [],
      environment: { provider: { original: 'local_pgvector', replay: 'local_pgvector' } },
      drift_class: 'none',
    });
    expect(chat.calls).toHaveLength(asked);
    const child = await witness.get(replay.replay_receipt_id);
    expect(child).toMatchObject({
      mode: 'as_of_replay',
      parent_receipt_id: id,
      query_id: 'q-7',
      caller_id: witness.admin.keyId,
      model: { llm_provider: null },
    });
    expect(await witness.verify(child.receipt_id)).toMatchObject({ valid: true, outcome_valid: null });
    expect(await refusal(child.receipt_id)).toBe('unreplayable.nested_replay');
    const events = (await witness.app.audit(witness.tenantId)).filter(
      ({ event_type }) => event_type === 'receipt.replayed',
    );
    expect(events.at(-1)).toMatchObject({ metadata_json: { verdict: 'ok', drift_class: 'none' } });
  });

  it('19 case 24: finds a document that was added, and says so again in the same words', async () => {
    const id = await witness.receiptOf({ message: 'What do penguins eat in winter?' });
    const documentId = await add('In winter penguins eat what penguins eat: squid.');
    const first = await witness.replay(id);
    expect(first.diff.selected_entries.added.map((entry: Body) => entry.document_id)).toEqual([documentId]);
    expect(first.diff).toMatchObject({ context_hash: { changed: true }, drift_class: 'data' });
    expect((await witness.replay(id)).diff).toEqual(first.diff);
  });

  it('reads as whoever asked, not as whoever replays', async () => {
    const secret = await putChunks(
      witness.app,
      witness.tenantId,
      witness.stage.corpusId,
      [{ text: 'The secret of penguins is for admins.' }],
      [{ to: ['role', 'admin'] }],
    );
    const message = 'What is the secret of penguins?';
    const id = await witness.receiptOf({ message });
    const seen = (await witness.replay(id)).diff;
    expect([seen.drift_class, seen.selected_entries.added]).toEqual(['none', []]);
    const own = await witness.receiptOf({ message }, witness.admin);
    expect((await witness.get(own)).selected_entries.map((entry: Body) => entry.document_id)).toContain(secret);
  });

  it('19 case 24: applies the bundle of then, whatever became of it, to the caller of then', async () => {
    await witness.app.rows(
      `INSERT INTO document_labels (tenant_id, document_id, key, value)
       SELECT tenant_id, id, 'label', 'pii' FROM documents WHERE tenant_id = $1 ON CONFLICT DO NOTHING`,
      [witness.tenantId],
    );
    await activate([{ id: 'no-pii', action: 'deny', when: { chunk_has_any_label: ['pii'], caller_type: 'reader' } }]);
    await witness.configure({ policy_mode: 'enforce' });
    const id = await witness.receiptOf();
    expect((await witness.get(id)).selected_entries).toEqual([]);
    await witness.app.rows(`DELETE FROM policy_bundles WHERE tenant_id = $1`, [witness.tenantId]);
    await witness.configure({ policy_mode: 'log_only', receipts: 'never' });
    const replay = await witness.replay(id);
    expect(replay.diff).toMatchObject({ drift_class: 'none', filters_applied: { added: [], removed: [] } });
    expect((await witness.get(replay.replay_receipt_id)).policy.filters_applied.length).toBeGreaterThan(0);
    await witness.configure({});
  });

  it('19 case 24: tells the truth where its receipt cannot be written', async () => {
    const id = await witness.receiptOf();
    await witness.stage.asOwner(`ALTER TABLE receipts ADD CONSTRAINT ck_receipts_away CHECK (false) NOT VALID`);
    const replay = await witness.replay(id);
    await witness.stage.asOwner('ALTER TABLE receipts DROP CONSTRAINT ck_receipts_away');
    expect(replay).toMatchObject({ replay_receipt_id: null, diff: { drift_class: 'none' } });
    const events = (await witness.app.audit(witness.tenantId)).filter(
      ({ event_type }) => event_type === 'receipt.replayed',
    );
    expect(events.at(-1)).toMatchObject({ resource_id: id, metadata_json: { replay_receipt_id: null } });
  });

  it('leaves no receipt where it cannot be audited', async () => {
    const id = await witness.receiptOf();
    const children = (): Promise<unknown[]> =>
      witness.app.rows('SELECT receipt_id FROM receipts WHERE parent_receipt_id = $1', [id]);
    await witness.stage.asOwner(
      `ALTER TABLE audit_events ADD CONSTRAINT ck_audit_away CHECK (event_type <> 'receipt.replayed') NOT VALID`,
    );
    await witness.admin.post(`/v1/receipts/${id}/replay`).expect(({ status }) => expect(status).toBeGreaterThan(499));
    await witness.stage.asOwner('ALTER TABLE audit_events DROP CONSTRAINT ck_audit_away');
    expect(await children()).toEqual([]);
  });

  it('19 case 24: is refused without its snapshot, with another one, without its question and without its corpus', async () => {
    const [missing, changed, shredded, orphan, broken, bare] = await Promise.all([
      witness.receiptOf(),
      witness.receiptOf(),
      witness.receiptOf(),
      witness.receiptOf(),
      witness.receiptOf(),
      witness.receiptOf(),
    ]);
    await witness.tamper(`UPDATE receipts SET policy_snapshot = NULL WHERE receipt_id = '${missing}'`);
    await witness.tamper(
      `UPDATE receipts SET policy_snapshot = policy_snapshot || '{"bundle_yaml": "{"}' WHERE receipt_id = '${changed}'`,
    );
    await witness.tamper(
      `UPDATE receipts SET policy_snapshot = policy_snapshot || '{"bundle_yaml": "{", "bundle_hash": "x"}',
         body_canonical = replace(body_canonical, '"bundle_hash":null,"bundle_yaml":null', '"bundle_hash":"x","bundle_yaml":"{"')
        WHERE receipt_id = '${broken}'`,
    );
    await witness.tamper(
      `UPDATE receipts SET body_canonical = replace(body_canonical, '"retrieval":', '"retrieved":')
        WHERE receipt_id = '${bare}'`,
    );
    const { session_id } = await witness.get(shredded);
    const erasure = witness.app.app.nest.get(ReceiptErasure, { strict: false });
    const erase = (owner: string): Promise<number> =>
      witness.app.as(witness.tenantId, () =>
        witness.app.infrastructure.uow.run(() => erasure.eraseSession(owner, session_id)),
      );
    expect(await erase(witness.admin.userId)).toBe(0);
    expect(await erase(witness.stage.reader.userId)).toBe(1);
    await witness.tamper(
      `UPDATE receipts SET body_canonical = replace(body_canonical, '${witness.stage.corpusId}', 'gone')
        WHERE receipt_id = '${orphan}'`,
    );
    expect(await refusal(missing)).toBe('unreplayable.missing_policy_snapshot');
    expect(await refusal(changed)).toBe('unreplayable.invalid_snapshot');
    expect(await refusal(bare)).toBe('unreplayable.invalid_snapshot');
    expect(await refusal(broken)).toBe('unreplayable.invalid_snapshot');
    expect(await refusal(shredded)).toBe('unreplayable.query_unavailable');
    expect(await refusal(orphan)).toBe('unreplayable.corpus_missing');
  });
});

describe('retention', () => {
  /** Makes a receipt as old as that. */
  const age = (id: string, days: number): Promise<void> =>
    witness.tamper(
      `UPDATE receipts SET created_at = '${new Date(Date.now() - days * DAY_MS).toISOString()}' WHERE receipt_id = '${id}'`,
    );

  it('19 case 21: puts old receipts away and keeps young ones, once', async () => {
    const [old, young] = [await witness.receiptOf(), await witness.receiptOf()];
    await age(old, 40);
    await age(young, 5);
    await witness.configure({ receipt_retention_days: 30 });
    expect(await witness.retention.sweep()).toBe(1);
    expect(await witness.retention.sweep()).toBe(0);
    const listed = async (query: string): Promise<string[]> =>
      (await witness.admin.get(`/v1/receipts?limit=200${query}`).expect(200)).body.data.receipts.map(
        ({ receipt_id }: Body) => receipt_id,
      );
    expect(await listed('')).toContain(young);
    expect(await listed('')).not.toContain(old);
    expect(await listed('&include_tombstoned=true')).toContain(old);
    expect(await listed('&include_tombstoned=1')).toContain(old);
    expect(await witness.get(old)).toMatchObject({ status: 'tombstoned', tombstoned_at: expect.any(String) });
    expect(await witness.get(young)).toMatchObject({ status: 'active' });
    expect((await witness.get(young)).tombstoned_at).toBeUndefined();
    expect(await refusal(old)).toBe('unreplayable.query_unavailable');
    await witness.configure({});
  });

  it.each(['thirty', true, 0, -5, 1.5, 1e300])(
    '19 case 21: skips a tenant that keeps them for %j days, and no other',
    async (days) => {
      const id = await witness.receiptOf();
      await age(id, 40);
      await witness.configure({ receipt_retention_days: days });
      const other = await witness.app.actor('admin');
      await other.post('/v1/corpora', { id: 'c', name: 'C' }).expect(201);
      const body = { ...witness.stage.body({ stream: false }), corpus_id: 'c' };
      const foreign = (await other.post('/v1/run', body).expect(200)).body.data.receipt_id;
      await age(foreign, 40);
      await witness.configure({ receipt_retention_days: 30 }, other.tenantId);
      expect(await witness.retention.sweep()).toBe(1);
      expect((await witness.get(id)).status).toBe('active');
      expect((await witness.get(foreign, other)).status).toBe('tombstoned');
      await witness.configure({});
    },
  );

  it('19 case 21: leaves sessions on hold as they are', async () => {
    const [held, free] = [newSession(), newSession()];
    const [kept, gone] = [await witness.receiptOf({ session_id: held }), await witness.receiptOf({ session_id: free })];
    await age(kept, 40);
    await age(gone, 40);
    await witness.configure({ receipt_retention_days: 30 });
    const holds = witness.app.app.nest.get(RetentionHolds, { strict: false });
    const hold = jest.spyOn(holds, 'heldSessions').mockResolvedValue(new Set([held]));
    await witness.retention.sweep();
    hold.mockRestore();
    expect((await witness.get(kept)).status).toBe('active');
    expect((await witness.get(gone)).status).toBe('tombstoned');
    await witness.configure({});
  });
});
