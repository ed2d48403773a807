import { expect } from '@jest/globals';
import type { Response, Test } from 'supertest';
import type { Group } from '../../../src/features/rbac-abac/index.js';
import { Groups } from '../../../src/features/rbac-abac/index.js';
import type { Actor, TestApp } from '../../harness/app.js';
import { newCorpus } from '../retrieval/chunks.js';

export type Json = Record<string, unknown>;

export const AUTHZ = '/v1/admin/authz';
export const POLICIES = `${AUTHZ}/policies`;

export const dataOf = (response: Response): Json => (response.body as { data: Json }).data;
export const itemsOf = (response: Response): Json[] => dataOf(response)['items'] as Json[];

export function expectRefused(response: Response, status: number, code: string): void {
  const { error } = response.body as { error?: { code: string } };
  expect([response.status, error?.code]).toEqual([status, code]);
}

/** A policy that allows reading documents, unless told otherwise. */
export const policyBody = (more: Json = {}): Json => ({
  name: 'A policy',
  effect: 'allow',
  resource_type: 'document',
  action: 'read',
  ...more,
});

export async function createPolicy(admin: Actor, more: Json = {}): Promise<string> {
  return dataOf(await admin.post(POLICIES, policyBody(more)).expect(201))['id'] as string;
}

/** Leaves the tenant without a policy, those of its beginning included. */
export async function disablePolicies(admin: Actor): Promise<void> {
  for (const { id } of itemsOf(await admin.get(`${POLICIES}?include_global=false`).expect(200))) {
    await admin.post(`${POLICIES}/${String(id)}/disable`).expect(200);
  }
}

let documents = 0;

/** A document of the tenant, made past the API: with no grants at all. */
export async function newDocument(app: TestApp, admin: Actor, labels: Record<string, string> = {}): Promise<string> {
  const corpusId = await newCorpus(admin);
  const id = `d-${(documents += 1)}`;
  await app.rows(
    `WITH d AS (
       INSERT INTO documents (tenant_id, id, corpus_id, uri, filename, content_type, ingest_source, status,
         content_sha256, byte_count, chunker, chunk_size_chars, chunk_overlap_chars, created_by)
       VALUES ($1, $2, $3, 'u', 'f.txt', 'text/plain', 'raw_text', 'succeeded', 'h', 1, 'v1', 10, 1, 'u')
       RETURNING tenant_id, id)
     INSERT INTO document_labels (tenant_id, document_id, key, value)
     SELECT tenant_id, id, key, value FROM d, jsonb_each_text($4::jsonb)`,
    [admin.tenantId, id, corpusId, JSON.stringify(labels)],
  );
  return id;
}

export const permissionsOf = (documentId: string): string => `${AUTHZ}/documents/${documentId}/permissions`;

export const grant = (admin: Actor, documentId: string, principal_id: string, more: Json = {}): Test =>
  admin.post(permissionsOf(documentId), { principal_type: 'user', principal_id, permission: 'read', ...more });

export async function explained(
  admin: Actor,
  document_id: string,
  principal_id: string,
  more: Json = {},
): Promise<Json> {
  const question = { principal_type: 'user', principal_id, document_id, action: 'read', ...more };
  return dataOf(await admin.post(`${AUTHZ}/explain`, question).expect(200));
}

/** The metadata of a tenant's events of one kind, oldest first. */
export async function eventsOf(app: TestApp, { tenantId }: Actor, event: string): Promise<Json[]> {
  return (await app.audit(tenantId)).filter(({ event_type }) => event_type === event);
}

/** The groups that the application is told of. */
export class Directory {
  readonly groups: (Group & { readonly members: readonly string[] })[] = [];

  constructor(app: TestApp) {
    const port: Pick<Groups, 'of' | 'named'> = {
      of: async (subjectId) => this.groups.filter(({ members }) => members.includes(subjectId)),
      named: async (idOrName) => this.groups.filter(({ id, name }) => id === idOrName || name === idOrName),
    };
    Object.assign(app.app.nest.get(Groups, { strict: false }), port);
  }
}
