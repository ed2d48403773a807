import { execFileSync } from 'node:child_process';
import { createPublicKey, verify as verifySignature } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import supertest from 'supertest';
import { SETTINGS } from '../../../src/app/catalogue.js';
import { projectFile } from '../../../src/app/project-file.js';
import { receiptsSettings } from '../../../src/features/receipts/index.js';
import { loadSettings, Settings } from '../../../src/kernel/settings.js';
import type { Actor } from '../../harness/app.js';
import { Replica } from '../../harness/replica.js';
import { ScriptedChat } from '../run/scripted-chat.js';
import { GOLDEN_KEY, KEYS, Witness, type Body } from './witness.js';

const UNKNOWN = `01${'0'.repeat(24)}`;

let witness: Witness;
beforeAll(async () => {
  witness = await Witness.start({}, new ScriptedChat());
});
afterAll(() => witness.close());

describe('verification', () => {
  it('19 case 16: is ok, and signature_mismatch once a byte of the body, a column or the signature is another', async () => {
    const id = await witness.receiptOf();
    await witness.chain();
    expect(await witness.verify(id)).toEqual({
      valid: true,
      reason: 'ok',
      key_id: 'k-1',
      algorithm: 'hmac-sha256-canonical-v1',
      outcome_valid: true,
      outcome_reason: 'ok',
      chain_valid: true,
      checks: { columns_match: true },
    });
    for (const change of [
      `body_canonical = replace(body_canonical, '"rank":1', '"rank":2')`,
      `body_canonical = 'x' || body_canonical`,
      `region = 'us'`,
      `corpus_id = 'other'`,
      `context_size_bytes = context_size_bytes + 1`,
      `receipt_signature = '0' || substr(receipt_signature, 2)`,
      `receipt_signature = 'ä'`,
      `policy_snapshot = '{}'`,
      `created_at = created_at + interval '1 ms'`,
      `created_at = 'infinity'`,
    ]) {
      const other = await witness.receiptOf();
      await witness.tamper(`UPDATE receipts SET ${change} WHERE receipt_id = '${other}'`);
      const verdict = await witness.verify(other);
      // One in sixteen signatures begins with 0 anyway.
      const same = change.startsWith(`receipt_signature = '0'`) && verdict.valid === true;
      if (!same)
        expect([change, verdict]).toEqual([
          change,
          expect.objectContaining({ valid: false, reason: 'signature_mismatch' }),
        ]);
      await witness.get(other);
    }
  });

  it('19 case 16: says of an outcome that it was changed', async () => {
    const id = await witness.receiptOf();
    await witness.tamper(
      `UPDATE receipt_outcomes SET body_canonical = replace(body_canonical, 'completed', 'error') WHERE receipt_id = '${id}'`,
    );
    expect(await witness.verify(id)).toMatchObject({
      valid: true,
      outcome_valid: false,
      outcome_reason: 'signature_mismatch',
    });
  });

  it('19 case 16: tells an outcome without a signature from none', async () => {
    const [unsigned, none] = [await witness.receiptOf(), await witness.receiptOf()];
    await witness.tamper(`UPDATE receipt_outcomes SET receipt_signature = NULL WHERE receipt_id = '${unsigned}'`);
    await witness.tamper(`DELETE FROM receipt_outcomes WHERE receipt_id = '${none}'`);
    expect(await witness.verify(unsigned)).toMatchObject({
      valid: true,
      outcome_valid: null,
      outcome_reason: 'no_signature',
    });
    expect(await witness.verify(none)).toMatchObject({ valid: true, outcome_valid: null, outcome_reason: null });
  });

  it('19 case 16: is unsupported_algorithm and no_signature where it cannot be said', async () => {
    const [unsupported, unsigned] = [await witness.receiptOf(), await witness.receiptOf()];
    await witness.tamper(`UPDATE receipts SET receipt_signature_algorithm = 'x' WHERE receipt_id = '${unsupported}'`);
    await witness.tamper(`UPDATE receipts SET receipt_signature = NULL WHERE receipt_id = '${unsigned}'`);
    expect(await witness.verify(unsupported)).toMatchObject({ valid: null, reason: 'unsupported_algorithm' });
    expect(await witness.verify(unsigned)).toMatchObject({ valid: null, reason: 'no_signature', key_id: null });
  });

  it('19 case 16: is key_unavailable after a restart without its key', async () => {
    const id = await witness.receiptOf();
    const { settings } = witness.app.infrastructure;
    const env = {
      STATEWAVE_RECEIPT_SIGNING_KEYS: JSON.stringify({ 'k-2': KEYS['k-2'] }),
      RECEIPT_DEFAULT_SIGNING_KEY_ID: 'k-2',
    };
    const others = loadSettings(env, [receiptsSettings]);
    const groups = SETTINGS.map((group) => [group.name, settings.get(group)] as const);
    const restarted = await Replica.of(
      witness.app,
      {},
      new Settings(settings.mode, new Map<string, unknown>([...groups, ['receipts', others.get(receiptsSettings)]])),
    );
    try {
      const answer = await supertest(restarted.url)
        .get(`/v1/receipts/${id}/verify`)
        .set('Authorization', `Bearer ${witness.admin.token}`)
        .expect(200);
      expect(answer.body.data).toMatchObject({
        valid: null,
        reason: 'key_unavailable',
        key_id: 'k-1',
        outcome_valid: null,
        outcome_reason: 'key_unavailable',
      });
    } finally {
      await restarted.close();
    }
    expect(await witness.verify(id)).toMatchObject({ valid: true, reason: 'ok' });
  });

  it('19 case 18: of old receipts goes on with the old key when the tenant gets another one', async () => {
    const old = await witness.receiptOf();
    await witness.configure({ receipt_signing_key_id: 'k-2' });
    const young = await witness.receiptOf();
    expect(await witness.verify(old)).toMatchObject({ valid: true, key_id: 'k-1' });
    expect(await witness.verify(young)).toMatchObject({ valid: true, key_id: 'k-2', outcome_valid: true });
    await witness.configure({});
  });

  it('cannot be reached by the application itself: what is signed is never updated', async () => {
    const id = await witness.receiptOf();
    for (const statement of [
      `UPDATE receipts SET region = 'us' WHERE receipt_id = '${id}'`,
      `DELETE FROM receipts WHERE receipt_id = '${id}'`,
      `UPDATE receipt_outcomes SET status = 'error' WHERE receipt_id = '${id}'`,
      `DELETE FROM receipt_chain`,
    ]) {
      await expect(witness.app.rows(statement)).rejects.toThrow(/permission denied/);
    }
    const asOwner = witness.stage.asOwner(`ALTER TABLE receipts NO FORCE ROW LEVEL SECURITY;
      UPDATE receipts SET region = 'us' WHERE receipt_id = '${id}'`);
    await expect(asOwner).rejects.toThrow(/never changes/);
    await witness.app.dataSource.query('ROLLBACK');
  });
});

describe('signing without keys', () => {
  it('uses a key of the data folder, and none where that is switched off or there are several without a default', async () => {
    const local = await Witness.start({ STATEWAVE_RECEIPT_SIGNING_KEYS: '', RECEIPT_DEFAULT_SIGNING_KEY_ID: '' });
    const off = await Witness.start({
      STATEWAVE_RECEIPT_SIGNING_KEYS: '',
      RECEIPT_DEFAULT_SIGNING_KEY_ID: '',
      RECEIPT_LOCAL_KEY_ENABLED: 'false',
    });
    const several = await Witness.start({ RECEIPT_DEFAULT_SIGNING_KEY_ID: '' });
    try {
      expect(await local.verify(await local.receiptOf())).toMatchObject({
        valid: true,
        key_id: expect.stringMatching(/^local-[0-9a-f]{12}$/),
      });
      for (const unsigned of [off, several]) {
        const id = await unsigned.receiptOf();
        expect(await unsigned.verify(id)).toMatchObject({ valid: null, reason: 'no_signature' });
        expect((await unsigned.get(id)).signing).toEqual({ requested_key_id: null, status: 'unconfigured' });
      }
    } finally {
      for (const each of [local, off, several]) await each.close();
    }
  });
});

describe('verification by third parties', () => {
  const seed = Buffer.alloc(32, 3).toString('base64');
  let public_: Witness;
  beforeAll(async () => {
    public_ = await Witness.start({
      RECEIPT_ED25519_KEYS: JSON.stringify({ 'ed-1': seed }),
      RECEIPT_DEFAULT_SIGNING_KEY_ID: 'ed-1',
    });
  });
  afterAll(() => public_.close());

  it('needs the public key at /.well-known/receipt-keys.json and nothing else', async () => {
    const id = await public_.receiptOf();
    expect(await public_.verify(id)).toMatchObject({ valid: true, algorithm: 'ed25519-canonical-v1', key_id: 'ed-1' });
    const response = await public_.app.anonymous().get('/.well-known/receipt-keys.json').expect(200);
    expect(response.headers['deprecation']).toBeUndefined();
    expect(response.body.keys).toEqual([
      { kty: 'OKP', crv: 'Ed25519', x: expect.any(String), kid: 'ed-1', use: 'sig', alg: 'EdDSA' },
    ]);
    expect(JSON.stringify(response.body)).not.toContain(seed.slice(0, 20));
    const [row] = await public_.app.rows<{ body: string; signature: string }>(
      'SELECT body_canonical AS body, receipt_signature AS signature FROM receipts WHERE receipt_id = $1',
      [id],
    );
    const key = createPublicKey({ key: response.body.keys[0], format: 'jwk' });
    const signature = Buffer.from(row?.signature ?? '', 'hex');
    expect(verifySignature(null, Buffer.from(row?.body ?? ''), key, signature)).toBe(true);
  });

  // An auditor trusts what they can read: ten lines of another language's standard library.
  it('with an HMAC key needs ten lines of Python', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'nexusrag-test-'));
    try {
      const file = join(folder, 'receipt.json');
      const python = (key: string): string => {
        try {
          return execFileSync('python3', [projectFile('docs/examples/receipts/verify.py'), file, key], {
            encoding: 'utf8',
          });
        } catch (error) {
          return (error as { stdout: string }).stdout;
        }
      };
      const response = await witness.admin
        .get(`/v1/receipts/${await witness.receiptOf({ message: 'Où?' })}`)
        .expect(200);
      writeFileSync(file, JSON.stringify(response.body));
      expect(python(GOLDEN_KEY)).toBe('True\n');
      expect(python(KEYS['k-2'])).toBe('False\n');
      writeFileSync(file, JSON.stringify(response.body).replace('"rank":1', '"rank":3'));
      expect(python(GOLDEN_KEY)).toBe('False\n');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('who sees a receipt', () => {
  it('19 case 19: nobody of another tenant, who is answered as for one that does not exist', async () => {
    const id = await witness.receiptOf();
    const stranger = await witness.app.actor('admin');
    const answers = async (receipt: string): Promise<unknown[]> => {
      const found = [
        await stranger.get(`/v1/receipts/${receipt}`),
        await stranger.get(`/v1/receipts/${receipt}/verify`),
        await stranger.post(`/v1/receipts/${receipt}/replay`),
      ];
      return found.map(({ status, body }) => [status, body.error]);
    };
    const expected = [404, { code: 'RECEIPT_NOT_FOUND', message: 'receipt not found' }];
    for (const receipt of [id, UNKNOWN, 'malformed', id.toLowerCase()]) {
      expect([receipt, await answers(receipt)]).toEqual([receipt, [expected, expected, expected]]);
    }
    expect((await stranger.get('/v1/receipts').expect(200)).body.data.receipts).toEqual([]);
  });

  it('whoever asked, without a feature; of the others admins with the feature only', async () => {
    const { app } = witness;
    const poor = await app.tenant('free');
    const [asker, colleague, admin] = [
      await app.actor('reader', poor),
      await app.actor('reader', poor),
      await app.actor('admin', poor),
    ];
    await admin.post('/v1/corpora', { id: 'poor', name: 'Poor' }).expect(201);
    const id = (await asker.post('/v1/run', witness.stage.body({ corpus_id: 'poor', stream: false })).expect(200)).body
      .data.receipt_id;
    expect((await asker.get(`/v1/receipts/${id}`).expect(200)).body.data.caller_id).toBe(asker.keyId);
    expect((await asker.get(`/v1/receipts/${id}/verify`).expect(200)).body.data.valid).toBe(true);
    await colleague.get(`/v1/receipts/${id}`).expect(404);
    expect((await admin.get(`/v1/receipts/${id}`).expect(403)).body.error.code).toBe('FEATURE_NOT_ENABLED');
    await asker.get('/v1/receipts').expect(403);
  });

  it('operators see those of every tenant, others are told who may', async () => {
    const { app } = witness;
    const operator = await app.actor('admin');
    const id = await witness.receiptOf();
    expect((await operator.get(`/v1/admin/receipts/${id}`).expect(200)).body.data.tenant_id).toBe(witness.tenantId);
    expect((await operator.get(`/v1/admin/receipts/${id}/verify`).expect(200)).body.data.valid).toBe(true);
    const list = await operator.get(`/v1/admin/receipts?tenant_id=${witness.tenantId}&limit=1`).expect(200);
    expect(list.body.data.receipts[0].receipt_id).toBe(id);
    const replay = await operator.post(`/v1/admin/receipts/${id}/replay`).expect(200);
    expect(replay.body.data.diff.drift_class).toBe('none');
    const { session_id } = await witness.get(id);
    const mine = await app.actor('admin');
    await mine.post('/v1/corpora', { id: 'mine', name: 'Mine' }).expect(201);
    const others = await witness.receiptOf({ corpus_id: 'mine', session_id }, mine);
    const across = async (query: string): Promise<Body> =>
      (await operator.get(`/v1/admin/receipts?subject_id=${session_id}${query}`).expect(200)).body.data;
    const idsOf = ({ receipts }: Body): string[] => receipts.map(({ receipt_id }: Body) => receipt_id);
    const child = replay.body.data.replay_receipt_id as string;
    expect(idsOf(await across(''))).toEqual([others, child, id]);
    const page = await across('&limit=1');
    expect(page.next_cursor).toBe(others);
    expect(idsOf(await across(`&cursor=${others}`))).toEqual([child, id]);
    expect(idsOf(await across(`&tenant_id=${witness.tenantId}`))).toEqual([child, id]);
    const none = await operator.get('/v1/admin/receipts').expect(400);
    expect(none.body.error.code).toBe('RECEIPT_TARGET_REQUIRED');
    await witness.stage.reader.get(`/v1/admin/receipts/${id}`).expect(403);
  });
});

describe('the list', () => {
  let owner: Actor;
  let corpus: string;
  const list = async (query: Record<string, string | number>): Promise<Body> =>
    (await owner.get('/v1/receipts').query(query).expect(200)).body.data;
  const ids = async (query: Record<string, string | number>): Promise<string[]> =>
    (await list(query)).receipts.map(({ receipt_id }: Body) => receipt_id);
  const ask = async (session_id: string): Promise<string> =>
    (await owner.post('/v1/run', { session_id, corpus_id: corpus, message: 'Hello?', stream: false }).expect(200)).body
      .data.receipt_id;

  beforeAll(async () => {
    owner = await witness.app.actor('admin');
    corpus = (await owner.post('/v1/corpora', { name: 'Own' }).expect(201)).body.data.id;
  });

  it('19 case 25: has pages without a duplicate or a gap while receipts are added', async () => {
    const first = [];
    for (const session of ['a', 'b', 'c', 'd', 'e']) first.push(await ask(session));
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const page: Body = await list({ limit: 2, ...(cursor === null ? {} : { cursor }) });
      seen.push(...page.receipts.map(({ receipt_id }: Body) => receipt_id));
      cursor = page.next_cursor;
      await ask('later');
    } while (cursor !== null);
    expect(seen).toEqual([...first].reverse());
  });

  it('can be narrowed, and refuses what is no filter', async () => {
    const id = await ask('special');
    const at = (await owner.get(`/v1/receipts/${id}`).expect(200)).body.data.created_at as string;
    expect(await ids({ session_id: 'special' })).toEqual([id]);
    expect(await ids({ subject_id: 'special', caller_id: owner.keyId, corpus_id: corpus })).toEqual([id]);
    expect(await ids({ since: at, until: at, session_id: 'special' })).toEqual([id]);
    expect(await ids({ caller_id: 'nobody' })).toEqual([]);
    expect(await ids({ document_id: 'nothing' })).toEqual([]);
    for (const query of ['cursor=x', 'limit=0', 'limit=201', 'since=yesterday', 'include_tombstoned=maybe', 'x=1']) {
      await owner.get(`/v1/receipts?${query}`).expect(422);
    }
    const two = await owner.get('/v1/receipts?subject_id=special&session_id=other').expect(422);
    expect(two.body.error.details.errors).toEqual([expect.objectContaining({ loc: ['query', 'session_id'] })]);
    expect(await ids({ subject_id: 'special', session_id: 'special' })).toEqual([id]);
  });

  it('has 50 receipts where nobody says how many', async () => {
    const other = await witness.app.actor('admin');
    await witness.app.rows(
      `INSERT INTO receipts (tenant_id, receipt_id, mode, subject_id, corpus_id, caller_id, context_hash,
                             context_size_bytes, body_canonical, as_of, created_at)
       SELECT $1, '01JBQ7Z00000000000000000' || n, 'retrieval', 's', 'c', 'k', 'h', 0, '{}', now(), now()
         FROM generate_series(10, 60) n`,
      [other.tenantId],
    );
    const { receipts, next_cursor } = (await other.get('/v1/receipts').expect(200)).body.data;
    expect([receipts.length, next_cursor]).toEqual([50, '01JBQ7Z0000000000000000011']);
    const rest = (await other.get(`/v1/receipts?cursor=${next_cursor}`).expect(200)).body.data;
    expect([rest.receipts.length, rest.next_cursor]).toEqual([1, null]);
  });

  it('finds the answers that were given a text of a document', async () => {
    const id = await witness.receiptOf();
    const [entry] = (await witness.get(id)).selected_entries;
    const found = await witness.admin.get(`/v1/receipts?document_id=${entry.document_id}&limit=1`).expect(200);
    expect(found.body.data.receipts[0].receipt_id).toBe(id);
  });
});

describe('the chain', () => {
  let own: Witness;
  beforeAll(async () => {
    own = await Witness.start({ RUN_MAX_CONCURRENCY: '100', RUN_BULKHEAD_MAX_CONCURRENCY: '130' }, new ScriptedChat());
  });
  afterAll(() => own.close());

  it('19 case 25: of a hundred concurrent answers has a hundred links without a gap or a fork, and breaks where one is deleted', async () => {
    const ids = await Promise.all(Array.from({ length: 100 }, () => own.receiptOf()));
    expect(new Set(ids).size).toBe(100);
    await Promise.all([own.chain(), own.chain(), own.chain()]);
    const links = await own.app.rows<{ seq: number; receipt_id: string }>(
      'SELECT seq::int, receipt_id FROM receipt_chain WHERE tenant_id = $1 ORDER BY seq',
      [own.tenantId],
    );
    expect(links.map(({ seq }) => seq)).toEqual(Array.from({ length: 100 }, (_, at) => at + 1));
    expect(links.map(({ receipt_id }) => receipt_id)).toEqual([...ids].sort());
    const verify = (): Promise<unknown> => own.app.as(own.tenantId, () => own.chains.verify());
    expect(await verify()).toMatchObject({ firstBadSeq: null, checked: 100 });
    const [last = '', deleted = '', before = ''] = [links[99], links[49], links[48]].map((link) => link?.receipt_id);
    await own.tamper(`DELETE FROM receipts WHERE receipt_id = '${deleted}'`);
    expect(await verify()).toMatchObject({ firstBadSeq: 50, checked: 49 });
    expect((await own.verify(before)).chain_valid).toBe(true);
    expect(await own.verify(last)).toMatchObject({ valid: true, chain_valid: false });
  });

  it('19 case 25: shows what is gone far back at all receipts after it, until it is there again', async () => {
    await Promise.all(Array.from({ length: 60 }, () => own.receiptOf()));
    await own.chain();
    const [{ receipt_id: far } = { receipt_id: '' }] = await own.app.rows<{ receipt_id: string }>(
      'SELECT receipt_id FROM receipt_chain WHERE tenant_id = $1 AND seq = 155',
      [own.tenantId],
    );
    expect((await own.verify(far)).chain_valid).toBe(true);
    await own.chains.check();
    expect(await own.verify(far)).toMatchObject({ valid: true, chain_valid: false });
    expect(own.app.logs).toContainEqual(expect.objectContaining({ msg: 'receipt_chain_broken', seq: 50 }));
  });

  it('goes on with the others where one tenant fails, and takes over links that came with their receipts', async () => {
    const others = await Promise.all([own.app.actor('admin'), own.app.actor('admin')]);
    const [first, second] = others.sort((a, b) => (a.tenantId < b.tenantId ? -1 : 1));
    const ids: string[] = [];
    for (const actor of [first, second]) {
      await actor.post('/v1/corpora', { id: 'own', name: 'Own' }).expect(201);
      ids.push(await own.receiptOf({ corpus_id: 'own' }, actor));
    }
    await own.stage.asOwner(
      `ALTER TABLE receipt_chain ADD CONSTRAINT ck_receipt_chain_away CHECK (tenant_id <> '${first.tenantId}') NOT VALID`,
    );
    await own.chain();
    await own.stage.asOwner('ALTER TABLE receipt_chain DROP CONSTRAINT ck_receipt_chain_away');
    const valid = async (actor: Actor, id = ''): Promise<unknown> =>
      (await actor.get(`/v1/receipts/${id}/verify`).expect(200)).body.data.chain_valid;
    expect([await valid(first, ids[0]), await valid(second, ids[1])]).toEqual([null, true]);
    await own.tamper(`UPDATE receipts SET chained = false WHERE receipt_id = '${ids[1]}'`);
    const next = await own.receiptOf({ corpus_id: 'own' }, second);
    await own.chain();
    expect([await valid(first, ids[0]), await valid(second, ids[1]), await valid(second, next)]).toEqual([
      true,
      true,
      true,
    ]);
    await own.stage.asOwner(
      `ALTER TABLE receipt_chain NO FORCE ROW LEVEL SECURITY; DELETE FROM receipt_chain WHERE receipt_id = '${next}';
       ALTER TABLE receipt_chain FORCE ROW LEVEL SECURITY`,
    );
    expect(await valid(second, next)).toBe(false);
  });

  it('is null for a receipt that has no place yet, and goes on after what is broken', async () => {
    const id = await own.receiptOf();
    expect((await own.verify(id)).chain_valid).toBeNull();
    await own.chain();
    expect((await own.verify(id)).chain_valid).toBe(false);
  });
});
