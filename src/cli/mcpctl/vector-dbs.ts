import { z } from 'zod';
import { apiPath } from '../../platform/api-client/index.js';
import { defineApiCommand, id, jsonObjectOption, jsonOption, optional, saying, wholeNumber } from './api-command.js';
import { LocalFault } from './local-fault.js';
import type { Columns } from './table.js';

const vectorDbId = id('number of the vector database');
const page = {
  limit: wholeNumber('most rows to list', 200),
  cursor: optional('where the page before ended'),
};

const DATABASE: Columns = {
  id: 'id',
  name: 'name',
  db_type: 'db_type',
  url: 'url',
  created_at: 'created_at',
};
const POLICY: Columns = {
  id: 'id',
  region: 'region',
  data_classification: 'data_classification',
  enforcement_mode: 'enforcement_mode',
  active: 'active',
  updated_at: 'updated_at',
};
const ATTACHMENT: Columns = {
  attachment_id: 'id',
  type: 'attachment_type',
  ref: 'attachment_ref',
  provider_key_id: 'provider_key_id',
  rotation_due: 'provider_key_rotation_due_at',
  attached_at: 'attached_at',
  detached_at: 'detached_at',
};
const INCIDENT: Columns = {
  incident_id: 'id',
  type: 'incident_type',
  severity: 'severity',
  attachment_id: 'attachment_id',
  occurred_at: 'occurred_at',
  resolved_at: 'resolved_at',
  summary: 'summary',
};

const list = defineApiCommand({
  name: 'vector-dbs list',
  summary: 'List your vector databases.',
  args: z.strictObject({}),
  columns: DATABASE,
  run: ({ api }) => api.get('/v1/vector-dbs'),
});

const create = defineApiCommand({
  name: 'vector-dbs create',
  summary: 'Register a vector database; you own it.',
  positional: ['name'],
  args: z.strictObject({
    name: z.string().describe('what people call it'),
    dbType: optional('chroma (default), pgvector, qdrant, weaviate, milvus, aws_bedrock_kb or gcp_vertex'),
    region: optional('where its data physically is'),
    url: optional('of an instance that exists, where the provisioner is external'),
  }),
  columns: DATABASE,
  run: ({ api }, { name, dbType, region, url }) => api.post('/v1/vector-dbs', { name, db_type: dbType, region, url }),
});

const remove = defineApiCommand({
  name: 'vector-dbs delete',
  summary: 'Delete a vector database; its ledger stays.',
  positional: ['vectorDbId'],
  args: z.strictObject({ vectorDbId, force: z.boolean().default(false).describe('detach what is attached') }),
  columns: { vector_db_id: 'vector_db_id', status: 'status' },
  run: async ({ api }, { vectorDbId, force }) => {
    await api.delete(apiPath`/v1/vector-dbs/${vectorDbId}`, force ? { force: 'true' } : {});
    return { data: { vector_db_id: vectorDbId, status: 'deleted' }, nextCursor: undefined };
  },
});

const residencyList = defineApiCommand({
  name: 'vector-dbs residency list',
  summary: 'List the residency policies of a vector database, by region.',
  positional: ['vectorDbId'],
  args: z.strictObject({ vectorDbId }),
  columns: POLICY,
  run: ({ api }, { vectorDbId }) => api.get(apiPath`/v1/vector-dbs/${vectorDbId}/residency-policies`),
});

const residencySet = defineApiCommand({
  name: 'vector-dbs residency set',
  summary: 'Create or change the residency policy of a region. What is not given stays as it is.',
  positional: ['vectorDbId', 'region'],
  args: z.strictObject({
    vectorDbId,
    region: z.string().describe('where data may be; compared exactly'),
    classification: optional('public, general (default), internal, confidential or restricted'),
    mode: optional('monitor (default) or block'),
    active: z
      .enum(['true', 'false'], 'must be true or false')
      .optional()
      .describe('true (default) or false: nothing more may be attached under it'),
  }),
  columns: POLICY,
  run: ({ api }, { vectorDbId, region, classification, mode, active }) =>
    api.post(apiPath`/v1/vector-dbs/${vectorDbId}/residency-policies`, {
      region,
      data_classification: classification,
      enforcement_mode: mode,
      active: active === undefined ? undefined : active === 'true',
    }),
});

const attachmentsList = defineApiCommand({
  name: 'vector-dbs attachments list',
  summary: 'List the attachments of a vector database, newest first.',
  positional: ['vectorDbId'],
  args: z.strictObject({ vectorDbId, status: optional('active or detached (default: both)'), ...page }),
  columns: ATTACHMENT,
  run: ({ api }, { vectorDbId, ...query }) => api.get(apiPath`/v1/vector-dbs/${vectorDbId}/attachments`, query),
});

const attachmentsCreate = defineApiCommand({
  name: 'vector-dbs attachments create',
  summary: 'Attach a workload under a residency policy, with the binding of a key.',
  positional: ['vectorDbId'],
  args: z.strictObject({
    vectorDbId,
    type: z.string().describe('embedding, semantic, assistant or corpus'),
    ref: z.string().describe('id of the workload'),
    policy: z.coerce.number('must be a number').int('must be a whole number').describe('id of the residency policy'),
    binding: z.string().describe('id of the key binding'),
    metadata: optional('JSON object to keep with it'),
  }),
  columns: ATTACHMENT,
  run: async ({ api }, { vectorDbId, type, ref, policy, binding, metadata }) =>
    api.post(apiPath`/v1/vector-dbs/${vectorDbId}/attachments`, {
      attachment_type: type,
      attachment_ref: ref,
      residency_policy_id: policy,
      provider_key_binding_id: binding,
      metadata: jsonObjectOption('--metadata', metadata),
    }),
});

const attachmentsDetach = defineApiCommand({
  name: 'vector-dbs attachments detach',
  summary: 'Detach a workload.',
  positional: ['vectorDbId', 'attachmentId'],
  args: z.strictObject({
    vectorDbId,
    attachmentId: id('what to detach'),
    reason: optional('why, for the ledger'),
  }),
  columns: {
    attachment_id: 'id',
    vector_db_id: 'vector_db_id',
    detached_at: 'detached_at',
    reason: ({ detached_reason: reason }) => reason ?? '(not provided)',
  },
  run: ({ api }, { vectorDbId, attachmentId, reason }) =>
    api.patch(apiPath`/v1/vector-dbs/${vectorDbId}/attachments/${attachmentId}`, { reason: saying(reason) }),
});

const incidentsList = defineApiCommand({
  name: 'vector-dbs incidents list',
  summary: 'List the incidents of a vector database, newest first.',
  positional: ['vectorDbId'],
  args: z.strictObject({ vectorDbId, status: optional('open or resolved (default: both)'), ...page }),
  columns: INCIDENT,
  run: ({ api }, { vectorDbId, ...query }) => api.get(apiPath`/v1/vector-dbs/${vectorDbId}/incidents`, query),
});

const incidentsLog = defineApiCommand({
  name: 'vector-dbs incidents log',
  summary: 'Log an incident.',
  positional: ['vectorDbId'],
  args: z.strictObject({
    vectorDbId,
    type: z.string().describe('what happened, such as residency_breach'),
    severity: optional('low, medium (default), high or critical'),
    attachment: optional('id of the attachment that it concerns'),
    summary: optional('one line for people'),
    notes: optional('evidence, as JSON'),
  }),
  columns: INCIDENT,
  run: async ({ api }, { vectorDbId, type, severity, attachment, summary, notes }) =>
    api.post(apiPath`/v1/vector-dbs/${vectorDbId}/incidents`, {
      incident_type: type,
      severity,
      attachment_id: attachment,
      summary,
      notes: jsonOption('--notes', notes),
    }),
});

const incidentsResolve = defineApiCommand({
  name: 'vector-dbs incidents resolve',
  summary: 'Resolve an incident; what it said until now is kept as its history.',
  positional: ['vectorDbId', 'incidentId'],
  args: z.strictObject({
    vectorDbId,
    incidentId: id('what to resolve'),
    summary: optional('how it ended'),
    notes: optional('evidence, as JSON'),
  }),
  columns: {
    incident_id: 'id',
    status: () => 'resolved',
    resolved_at: 'resolved_at',
    summary: 'summary',
  },
  run: async ({ api }, { vectorDbId, incidentId, summary, notes }) => {
    if (summary === undefined && notes === undefined) {
      throw new LocalFault('No resolution fields supplied; provide --summary and/or --notes');
    }
    return api.patch(apiPath`/v1/vector-dbs/${vectorDbId}/incidents/${incidentId}`, {
      resolution_summary: summary,
      resolution_notes: jsonOption('--notes', notes),
    });
  },
});

export const VECTOR_DB_COMMANDS = [
  list,
  create,
  remove,
  residencyList,
  residencySet,
  attachmentsList,
  attachmentsCreate,
  attachmentsDetach,
  incidentsList,
  incidentsLog,
  incidentsResolve,
];
