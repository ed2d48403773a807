import { ReceiptChain, ReceiptRetention } from '../../../src/features/receipts/index.js';
import { TenantConfigs } from '../../../src/features/residency/index.js';
import type { Actor, TestApp } from '../../harness/app.js';
import { Stage } from '../run/stage.js';
import type { ScriptedChat } from '../run/scripted-chat.js';

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- bodies of answers, whose shape the tests assert
export type Body = any;

/** The key of the golden vector: bytes 00 to 1f. */
export const GOLDEN_KEY = 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=';
export const KEYS = { 'k-1': GOLDEN_KEY, 'k-2': Buffer.alloc(32, 7).toString('base64') };

/** Answers with receipts, and an admin who looks at them. */
export class Witness {
  private constructor(
    readonly stage: Stage,
    readonly admin: Actor,
  ) {}

  static async start(env: Record<string, string> = {}, chat?: ScriptedChat): Promise<Witness> {
    const settings = {
      STATEWAVE_RECEIPT_SIGNING_KEYS: JSON.stringify(KEYS),
      RECEIPT_DEFAULT_SIGNING_KEY_ID: 'k-1',
      RECEIPT_CHAIN_LAG_S: '0',
      ...env,
    };
    const stage = await Stage.start(settings, chat);
    return new Witness(stage, await stage.app.actor('admin', stage.editor.tenantId));
  }

  get app(): TestApp {
    return this.stage.app;
  }

  get tenantId(): string {
    return this.admin.tenantId;
  }

  close(): Promise<void> {
    return this.stage.close();
  }

  /** One answered question. */
  async ask(body: Body = {}, by: Actor = this.stage.reader): Promise<Body> {
    const response = await by.post('/v1/run', this.stage.body({ stream: false, ...body })).expect(200);
    return response.body.data;
  }

  /** The id of the receipt of one answer. */
  async receiptOf(body: Body = {}, by?: Actor): Promise<string> {
    return (await this.ask(body, by)).receipt_id;
  }

  async get(id: string, by: Actor = this.admin): Promise<Body> {
    return (await by.get(`/v1/receipts/${id}`).expect(200)).body.data;
  }

  async verify(id: string): Promise<Body> {
    return (await this.admin.get(`/v1/receipts/${id}/verify`).expect(200)).body.data;
  }

  async replay(id: string): Promise<Body> {
    return (await this.admin.post(`/v1/receipts/${id}/replay`).expect(200)).body.data;
  }

  /** What the tenant is configured to, past the route, for values that it would refuse. */
  async configure(config: Body, tenantId = this.tenantId): Promise<void> {
    await this.app.rows(
      `INSERT INTO tenant_configs (tenant_id, config) VALUES ($1, $2)
       ON CONFLICT ON CONSTRAINT pk_tenant_configs DO UPDATE SET config = EXCLUDED.config`,
      [tenantId, config],
    );
    await this.app.app.nest.get(TenantConfigs, { strict: false }).forget(tenantId);
  }

  /** As whoever owns the database can, past every guard but the hashes. */
  async tamper(sql: string): Promise<void> {
    await this.stage.asOwner(
      `ALTER TABLE receipts DISABLE TRIGGER USER; ALTER TABLE receipt_outcomes DISABLE TRIGGER USER;
       ALTER TABLE receipts NO FORCE ROW LEVEL SECURITY; ALTER TABLE receipt_outcomes NO FORCE ROW LEVEL SECURITY;
       ${sql};
       ALTER TABLE receipts FORCE ROW LEVEL SECURITY; ALTER TABLE receipt_outcomes FORCE ROW LEVEL SECURITY;
       ALTER TABLE receipts ENABLE TRIGGER USER; ALTER TABLE receipt_outcomes ENABLE TRIGGER USER`,
    );
  }

  /** Brings the chains up to date. */
  async chain(): Promise<void> {
    await this.app.app.nest.get(ReceiptChain, { strict: false }).extend();
  }

  get chains(): ReceiptChain {
    return this.app.app.nest.get(ReceiptChain, { strict: false });
  }

  get retention(): ReceiptRetention {
    return this.app.app.nest.get(ReceiptRetention, { strict: false });
  }
}
