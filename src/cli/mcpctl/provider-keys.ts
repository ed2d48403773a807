import { createHash } from 'node:crypto';
import { z } from 'zod';
import { apiPath, ApiUnreachable, eventFeed, jsonOf, type ApiClient } from '../../platform/api-client/index.js';
import { defineApiCommand, id, jsonObjectOption, optional, saying, wholeNumber } from './api-command.js';
import { LocalFault, readBytes } from './local-fault.js';
import type { Columns } from './table.js';

const providerId = id('who holds the key');
const keyId = id('which key');
const rotationId = id('which rotation');
const attestation = {
  attestation: z.string().describe('file with the attestation of the key'),
  signature: optional('file with its detached signature (default: the attestation carries its own)'),
};

const KEY: Columns = {
  'Key ID': 'id',
  Alias: 'alias',
  State: 'state',
  'Rotation Due': 'rotation_due_at',
  Activated: 'activated_at',
};
const ROTATION: Columns = {
  'Rotation ID': 'id',
  Status: 'status',
  Requested: 'requested_at',
  Actor: 'request_actor_ref',
};
const BINDING: Columns = {
  'Binding ID': 'id',
  Type: 'binding_type',
  Target: 'binding_target_id',
  Created: 'created_at',
};
const AUDIT: Columns = {
  'Event ID': 'event.id',
  'Key ID': 'event.provider_key_id',
  Type: 'event.event_type',
  Occurred: 'event.occurred_at',
  State: 'provider_key_state',
};

const register = defineApiCommand({
  name: 'keys register',
  summary: 'Register a key by its attestation; the key itself stays with its owner.',
  positional: ['providerId'],
  args: z.strictObject({
    providerId,
    ...attestation,
    alias: optional('what people call it'),
    rotationDue: optional('when it must be rotated, such as 2027-01-31T09:00:00Z'),
    keyRef: optional('where a key service keeps it, such as an ARN'),
    keyRefProvider: optional('local_kms, aws_kms, gcp_kms or vault_transit'),
  }),
  columns: KEY,
  run: async ({ api }, { providerId, alias, rotationDue, keyRef, keyRefProvider, ...files }) =>
    api.post(apiPath`/v1/providers/${providerId}/keys`, {
      alias,
      ...(await attestationOf(files)),
      rotation_due_at: rotationDue,
      key_ref: keyRef,
      key_ref_provider: keyRefProvider,
    }),
});

const list = defineApiCommand({
  name: 'keys list',
  summary: 'List the keys of a provider, newest first.',
  positional: ['providerId'],
  args: z.strictObject({ providerId }),
  columns: KEY,
  run: ({ api }, { providerId }) => api.get(apiPath`/v1/providers/${providerId}/keys`),
});

const rotate = defineApiCommand({
  name: 'keys rotate',
  summary: 'Ask for a rotation; somebody else approves it.',
  positional: ['providerId', 'keyId'],
  args: z.strictObject({ providerId, keyId, ...attestation, actorRef: z.string().describe('who asks') }),
  columns: ROTATION,
  run: async ({ api }, { providerId, keyId, actorRef, ...files }) =>
    api.post(apiPath`/v1/providers/${providerId}/keys/${keyId}/rotations`, {
      ...(await attestationOf(files)),
      request_actor_ref: actorRef,
    }),
});

const decided = {
  providerId,
  rotationId,
  keyId: optional('key of the rotation (default: looked for)'),
};

const approve = defineApiCommand({
  name: 'keys approve-rotation',
  summary: 'Approve the rotation that somebody else asked for.',
  positional: ['providerId', 'rotationId'],
  args: z.strictObject({
    ...decided,
    evidence: optional('URI of the evidence'),
    rotationDue: optional('when it must be rotated next'),
  }),
  columns: ROTATION,
  run: async ({ api }, { providerId, rotationId, keyId, evidence, rotationDue }) => {
    const of = keyId ?? (await keyOfRotation(api, providerId, rotationId));
    return api.post(apiPath`/v1/providers/${providerId}/keys/${of}/rotations/${rotationId}/approve`, {
      evidence_uri: evidence,
      rotation_due_at: rotationDue,
    });
  },
});

const reject = defineApiCommand({
  name: 'keys reject-rotation',
  summary: 'Reject a rotation; the key stays as it was.',
  positional: ['providerId', 'rotationId'],
  args: z.strictObject({ ...decided, reason: z.string().describe('why, for the ledger') }),
  columns: ROTATION,
  run: async ({ api }, { providerId, rotationId, keyId, reason }) => {
    const of = keyId ?? (await keyOfRotation(api, providerId, rotationId));
    return api.post(apiPath`/v1/providers/${providerId}/keys/${of}/rotations/${rotationId}/reject`, {
      failure_reason: reason,
    });
  },
});

const revoke = defineApiCommand({
  name: 'keys revoke',
  summary: 'Retire a key for ever.',
  positional: ['providerId', 'keyId'],
  args: z.strictObject({
    providerId,
    keyId,
    reason: optional('why, for the ledger'),
    compromised: z.boolean().default(false).describe('somebody else may have it: revoke its bindings, too'),
  }),
  columns: { 'Key ID': 'id', State: 'state', Retired: 'retired_at', Compromised: 'compromised_at' },
  run: ({ api }, { providerId, keyId, reason, compromised }) =>
    api.post(apiPath`/v1/providers/${providerId}/keys/${keyId}/revocations`, {
      reason: saying(reason),
      mark_compromised: compromised,
    }),
});

const bind = defineApiCommand({
  name: 'keys bind',
  summary: 'Bind a key to what it is for.',
  positional: ['providerId', 'keyId'],
  args: z.strictObject({
    providerId,
    keyId,
    type: z.string().describe('vector_db, workspace, runtime, artifact or corpus'),
    target: z.string().describe('UUID of the target'),
    context: optional('JSON object that narrows it'),
  }),
  columns: BINDING,
  run: async ({ api }, { providerId, keyId, type, target, context }) => {
    const scope = jsonObjectOption('--context', context) ?? {};
    return api.post(apiPath`/v1/providers/${providerId}/keys/${keyId}/bindings`, {
      binding_type: type,
      binding_target_id: target,
      additional_context: Object.keys(scope).length === 0 ? undefined : scope,
    });
  },
});

const unbind = defineApiCommand({
  name: 'keys unbind',
  summary: 'Revoke a binding.',
  positional: ['providerId', 'keyId', 'bindingId'],
  args: z.strictObject({ providerId, keyId, bindingId: id('which binding'), reason: optional('why, for the ledger') }),
  columns: { ...BINDING, Revoked: 'revoked_at' },
  run: ({ api }, { providerId, keyId, bindingId, reason }) =>
    api.post(apiPath`/v1/providers/${providerId}/keys/${keyId}/bindings/${bindingId}/revoke`, {
      reason: saying(reason),
    }),
});

const bindings = defineApiCommand({
  name: 'keys bindings',
  summary: 'List what a key is bound to, newest first, revoked bindings included.',
  positional: ['providerId', 'keyId'],
  args: z.strictObject({ providerId, keyId }),
  columns: BINDING,
  run: ({ api }, { providerId, keyId }) => api.get(apiPath`/v1/providers/${providerId}/keys/${keyId}/bindings`),
});

const audit = defineApiCommand({
  name: 'keys audit',
  summary: 'List what happened to the keys of a provider, newest first.',
  positional: ['providerId'],
  args: z.strictObject({
    providerId,
    keyId: optional('only this key'),
    state: optional('only keys that are, or came, in this state'),
    start: optional('earliest instant, included'),
    end: optional('latest instant, included'),
    limit: wholeNumber('most events to list (default: 100)', 500),
    cursor: optional('where the page before ended'),
  }),
  columns: AUDIT,
  run: ({ api }, { providerId, keyId, ...query }) =>
    api.get(apiPath`/v1/providers/${providerId}/keys/audit`, { key_id: keyId, ...query }),
});

const watch = defineApiCommand({
  name: 'keys watch',
  summary: 'Show what happens to the keys of a provider, as it happens.',
  positional: ['providerId'],
  args: z.strictObject({
    providerId,
    after: optional('id of the last event that is known (default: from the first)'),
    limit: wholeNumber('end after so many events (default: never)', 1_000_000),
  }),
  columns: AUDIT,
  run: ({ api, clock, note }, { providerId, after, limit = Infinity }) => {
    const reconnecting = (ms: number): void => note(`The connection ended; the next one follows in ${ms / 1000} s.`);
    const feed = eventFeed(api, apiPath`/v1/providers/${providerId}/keys/stream`, { clock, after, reconnecting });
    return first(limit, feed);
  },
});

async function* first(limit: number, feed: ReturnType<typeof eventFeed>): AsyncGenerator {
  let seen = 0;
  for await (const { data } of feed) {
    yield expected(anything, jsonOf(data));
    seen += 1;
    if (seen >= limit) return;
  }
}

/** @throws ApiUnreachable */
function expected<T>(schema: z.ZodType<T>, data: unknown): T {
  const parsed = schema.safeParse(data);
  if (!parsed.success) throw new ApiUnreachable('The server does not answer as the API does.');
  return parsed.data;
}

/** The digest is that of the attestation file; a signature in a file of its own covers it. */
async function attestationOf(files: {
  attestation: string;
  signature?: string | undefined;
}): Promise<Record<string, string>> {
  const attested = await readBytes(files.attestation, 'The attestation');
  const signature = files.signature === undefined ? attested : await readBytes(files.signature, 'The signature');
  return {
    attestation_digest: createHash('sha256').update(attested).digest('base64'),
    attestation_signature: signature.toString('base64'),
  };
}

const anything = z.unknown().refine((event) => event !== undefined);
const summaries = z.array(z.object({ id: z.string(), state: z.string() }));
const withRotations = z.object({ rotations: z.array(z.object({ id: z.string() })) });

/** A rotation that can be decided makes its key `rotating`; few are at a time. */
async function keyOfRotation(api: ApiClient, providerId: string, rotationId: string): Promise<string> {
  const keys = expected(summaries, (await api.get(apiPath`/v1/providers/${providerId}/keys`)).data);
  for (const { id: keyId, state } of keys) {
    if (state !== 'rotating') continue;
    const key = await api.get(apiPath`/v1/providers/${providerId}/keys/${keyId}`);
    if (expected(withRotations, key.data).rotations.some(({ id }) => id === rotationId)) return keyId;
  }
  throw new LocalFault(`No key of the provider waits for the rotation ${rotationId}.`);
}

export const PROVIDER_KEY_COMMANDS = [
  register,
  list,
  rotate,
  approve,
  reject,
  revoke,
  bind,
  unbind,
  bindings,
  audit,
  watch,
];
