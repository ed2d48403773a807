import { createHash, randomUUID } from 'node:crypto';
import type { Response } from 'supertest';
import type { Actor } from '../../harness/app.js';

export type Json = Record<string, unknown>;

export const dataOf = (response: Response): Json => (response.body as { data: Json }).data;
export const listOf = (response: Response): Json[] => (response.body as { data: Json[] }).data;
/** Status and code of a refusal. */
export const refusal = (response: Response): [number, string | undefined] => [
  response.status,
  (response.body as { error?: { code: string } }).error?.code,
];

export const DIGEST = createHash('sha256').update('what the key management says').digest('base64');
export const SIGNATURE = Buffer.from('a signature').toString('base64');
export const ATTESTED = { attestation_digest: DIGEST, attestation_signature: SIGNATURE };

export interface NamedKey {
  readonly provider: string;
  readonly key: string;
  /** Of the key under /v1. */
  readonly path: string;
}

export const keysOf = (provider: string): string => `/v1/providers/${provider}/keys`;
export const at = ({ path }: NamedKey, rest: string): string => `${path}/${rest}`;

/** An active key, of a provider that nobody else has unless one is given. */
export async function newKey(admin: Actor, more: Json = {}, provider: string = randomUUID()): Promise<NamedKey> {
  const response = await admin.post(keysOf(provider), { ...ATTESTED, ...more }).expect(200);
  const key = String(dataOf(response)['id']);
  return { provider, key, path: `${keysOf(provider)}/${key}` };
}

export async function newBinding(admin: Actor, key: NamedKey, more: Json = {}): Promise<string> {
  const target = { binding_type: 'vector_db', binding_target_id: randomUUID(), ...more };
  return String(dataOf(await admin.post(at(key, 'bindings'), target).expect(200))['id']);
}

export async function newRotation(admin: Actor, key: NamedKey, more: Json = {}): Promise<string> {
  const request = { ...ATTESTED, request_actor_ref: 'change-4711', ...more };
  return String(dataOf(await admin.post(at(key, 'rotations'), request).expect(200))['id']);
}

/** Types of the ledger's events, newest first. */
export async function ledgerOf(admin: Actor, { provider }: NamedKey): Promise<string[]> {
  const events = listOf(await admin.get(`${keysOf(provider)}/audit`).expect(200));
  return events.map(({ event }) => String((event as Json)['event_type']));
}
