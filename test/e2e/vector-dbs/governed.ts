import { randomUUID } from 'node:crypto';
import type { Response, Test } from 'supertest';
import { TestApp, type Actor } from '../../harness/app.js';
import { newCorpus, putChunks } from '../retrieval/chunks.js';

type Json = Record<string, unknown>;

export interface Bound {
  readonly providerId: string;
  readonly keyId: string;
  readonly bindingId: string;
}

const DIGEST = Buffer.alloc(32, 1).toString('base64');
const SIGNATURE = Buffer.from('signed').toString('base64');

let sessions = 0;

export const dataOf = (response: Response): Json => (response.body as { data: Json }).data;
export const rowsOf = (response: Response): Json[] => (response.body as { data: Json[] }).data;
export const errorOf = ({ status, body }: Response): unknown[] => {
  const { error } = body as { error?: { code: string; message: string } };
  return [status, error?.code, error?.message];
};

/** Somebody with a vector database, and what they do with it. */
export class Governed {
  private constructor(
    readonly app: TestApp,
    readonly owner: Actor,
    readonly id: number,
    readonly uid: string,
  ) {}

  /** @param region of the vector database. */
  static async open(app: TestApp, region?: string, owner?: Actor): Promise<Governed> {
    const somebody = owner ?? (await app.actor('admin'));
    const created = await somebody.post('/v1/vector-dbs', { name: 'governed', ...(region && { region }) }).expect(200);
    const { id, uid } = dataOf(created);
    return new Governed(app, somebody, id as number, uid as string);
  }

  get path(): string {
    return `/v1/vector-dbs/${this.id}`;
  }

  /** @returns the id of the policy. */
  async policy(body: Json = {}): Promise<number> {
    const response = await this.owner.post(`${this.path}/residency-policies`, { region: 'eu', ...body }).expect(200);
    return dataOf(response)['id'] as number;
  }

  async bind(type = 'vector_db', key: Json = {}, context?: Json): Promise<Bound> {
    const providerId = randomUUID();
    const registered = await this.owner
      .post(`/v1/providers/${providerId}/keys`, {
        attestation_digest: DIGEST,
        attestation_signature: SIGNATURE,
        ...key,
      })
      .expect(200);
    const keyId = dataOf(registered)['id'] as string;
    const binding = {
      binding_type: type,
      binding_target_id: this.uid,
      ...(context && { additional_context: context }),
    };
    const bound = await this.owner.post(`/v1/providers/${providerId}/keys/${keyId}/bindings`, binding).expect(200);
    return { providerId, keyId, bindingId: dataOf(bound)['id'] as string };
  }

  revoke({ providerId, keyId }: Bound, compromised: boolean): Test {
    return this.owner.post(`/v1/providers/${providerId}/keys/${keyId}/revocations`, { mark_compromised: compromised });
  }

  attach(policyId: number, bindingId: string, workload: Json = {}): Test {
    return this.owner.post(`${this.path}/attachments`, {
      attachment_type: 'semantic',
      attachment_ref: randomUUID(),
      residency_policy_id: policyId,
      provider_key_binding_id: bindingId,
      ...workload,
    });
  }

  detach(attachmentId: unknown, body: Json = {}): Test {
    return this.owner.patch(`${this.path}/attachments/${String(attachmentId)}`, body);
  }

  /** @returns the id of a corpus that knows something and names the vector database. */
  async corpus(): Promise<string> {
    const corpusId = await newCorpus(this.owner);
    await putChunks(this.app, this.owner.tenantId, corpusId, [{ text: 'Penguins are birds that cannot fly.' }]);
    await this.govern(corpusId).expect(200);
    return corpusId;
  }

  govern(corpusId: string): Test {
    const retrieval = { provider: 'local_pgvector', vector_db_id: this.id };
    return this.owner.patch(`/v1/corpora/${corpusId}`, { provider_config_json: { retrieval } });
  }

  run(corpusId: string): Test {
    const session_id = `governed-${(sessions += 1)}`;
    return this.owner.post('/v1/run', { session_id, corpus_id: corpusId, message: 'Can penguins fly?', stream: false });
  }

  async incidents(): Promise<Json[]> {
    return rowsOf(await this.owner.get(`${this.path}/incidents`).expect(200));
  }

  /** Types and severities of those that are open, in order. */
  async openIncidents(): Promise<string[]> {
    const open = rowsOf(await this.owner.get(`${this.path}/incidents?status=open`).expect(200));
    return open.map(({ incident_type, severity }) => `${String(incident_type)} ${String(severity)}`).sort();
  }

  async pin(region: string): Promise<void> {
    await this.app.rows(
      `INSERT INTO tenant_configs (tenant_id, config) VALUES ($1, $2)
       ON CONFLICT (tenant_id) DO UPDATE SET config = EXCLUDED.config`,
      [this.owner.tenantId, { region }],
    );
  }
}
