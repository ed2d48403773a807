import { randomBytes } from 'node:crypto';
import supertest, { type Response, type Test } from 'supertest';
import { RegionKeys } from '../../../src/features/tenant-moves/index.js';
import { ApiKeys } from '../../../src/features/auth/index.js';
import { UsageLedger } from '../../../src/features/quotas/index.js';
import { ReceiptChain } from '../../../src/features/receipts/index.js';
import { Tenants } from '../../../src/features/tenants/index.js';
import type { Replacements } from '../../../src/app/infrastructure.js';
import { TestApp, type Actor } from '../../harness/app.js';
import { eventually } from '../../harness/eventually.js';

const BYTES = 'application/octet-stream';
export const SECRETS = { eu: randomBytes(32).toString('base64'), us: randomBytes(32).toString('base64') };
const PEERS = Object.fromEntries(
  Object.entries(SECRETS).map(([region, secret]) => [region, new RegionKeys(secret).publicText]),
);

export interface MoveBody {
  readonly job_id: string;
  readonly status: string;
  readonly status_url: string;
  readonly counts: Readonly<Record<string, unknown>>;
  readonly error_code: string | null;
  readonly finished_at: string | null;
  readonly region: string | null;
  readonly watermark: string | null;
  readonly manifest: Readonly<Record<string, unknown>> | null;
  readonly verification: Readonly<Record<string, unknown>> | null;
}

/** A region of its own: its database, its storage, its operators. */
export class Region {
  private constructor(
    readonly app: TestApp,
    readonly operator: Actor,
    /** Another one, in the same tenant of operators. */
    readonly second: Actor,
  ) {}

  static async start(
    name: keyof typeof SECRETS,
    env: Record<string, string> = {},
    replace: Replacements = {},
  ): Promise<Region> {
    const app = await TestApp.start(
      {
        STATEWAVE_REGION: name,
        RESIDENCY_PRIVATE_KEY: SECRETS[name],
        RESIDENCY_PEER_PUBLIC_KEYS_JSON: JSON.stringify(PEERS),
        RESIDENCY_SETTLE_S: '0',
        RECEIPT_CHAIN_LAG_S: '0',
        PLATFORM_OPERATOR_TENANTS: `operators-${name}`,
        ...env,
      },
      replace,
    );
    const operators = `operators-${name}`;
    await app.app.nest.get(Tenants).ensure(operators);
    return new Region(app, await app.actor('admin', operators), await app.actor('admin', operators));
  }

  /** What the move has become, once it has ended. */
  async ended(statusUrl: string): Promise<MoveBody> {
    return eventually(async () => {
      const move = dataOf(await this.operator.get(statusUrl).expect(200));
      if (move.status === 'running') throw new Error(`${statusUrl} is running.`);
      return move;
    }, 60_000);
  }

  /** Exports and waits. */
  async export(tenantId: string, more: object = {}): Promise<MoveBody> {
    const started = await this.operator
      .post('/v1/admin/memory/export', { tenant_id: tenantId, target_region: 'us', ...more })
      .expect(202);
    return this.ended(dataOf(started).status_url);
  }

  async artifact(jobId: string): Promise<Buffer> {
    const response = await this.operator
      .get(`/v1/admin/memory/exports/${jobId}/artifact`)
      .buffer(true)
      .parse((stream, done) => {
        const chunks: Buffer[] = [];
        stream.on('data', (chunk: Buffer) => chunks.push(chunk));
        stream.on('end', () => done(null, Buffer.concat(chunks)));
      })
      .expect(200);
    return response.body as Buffer;
  }

  async upload(archive: Buffer, query: Record<string, string> = {}): Promise<Response> {
    return supertest(this.app.url)
      .post('/v1/admin/import')
      .query(query)
      .set('Authorization', `Bearer ${this.operator.token}`)
      .set('Content-Type', BYTES)
      .send(archive);
  }

  /** Uploads, and waits. */
  async import(archive: Buffer, query: Record<string, string> = {}): Promise<MoveBody> {
    const accepted = await this.upload(archive, { dry_run: 'false', ...query });
    if (accepted.status !== 202) throw new Error(`${accepted.status}: ${accepted.text}`);
    return this.ended(dataOf(accepted).status_url);
  }

  /** From then on nothing is counted for a tenant that goes elsewhere: what was used until then is written. */
  async pin(tenantId: string, region: string, force = false): Promise<void> {
    await this.operator
      .patch(`/v1/admin/tenants/${tenantId}/config`, { region, ...(force ? { force_region_pin: true } : {}) })
      .expect(200);
    await this.app.app.nest.get(UsageLedger, { strict: false }).flush();
  }

  /** Keys stay in their region: somebody who has moved is given one here. */
  async keyOf({ tenantId, userId }: Actor): Promise<Pick<Actor, 'get' | 'post'>> {
    const keys = this.app.app.nest.get(ApiKeys);
    const { token } = await this.app.as(tenantId, () => keys.create({ role: 'admin', name: 'moved', userId }));
    const bearer = (test: Test): Test => test.set('Authorization', `Bearer ${token}`);
    return {
      get: (path) => bearer(supertest(this.app.url).get(path)),
      post: (path, body) => bearer(supertest(this.app.url).post(path)).send(body),
    };
  }

  /** Waits until every receipt of the tenant has its place in the chain. */
  async chained(tenantId: string): Promise<void> {
    await eventually(async () => {
      await this.app.app.nest.get(ReceiptChain, { strict: false }).extend();
      const open = await this.app.rows('SELECT receipt_id FROM receipts WHERE tenant_id = $1 AND NOT chained', [
        tenantId,
      ]);
      if (open.length > 0) throw new Error('Receipts wait for their chain.');
    });
  }

  close(): Promise<void> {
    return this.app.close();
  }
}

export function dataOf(response: Response): MoveBody {
  return (response.body as { data: MoveBody }).data;
}

export function codeOf(response: Response): string | undefined {
  return (response.body as { error?: { code: string } }).error?.code;
}
