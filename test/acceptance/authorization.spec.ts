import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { EmbeddedServer } from '../harness/process.js';

/** The order's own policies and commands on authorization, as printed there, against a first start. */
let server: EmbeddedServer;
beforeAll(async () => {
  server = await EmbeddedServer.start();
});
afterAll(() => server.discard());

const POLICIES = 'http://localhost:8000/v1/admin/authz/policies';
const DENY_HIGH_SENSITIVITY = `{
  "name": "deny-high-sensitivity",
  "effect": "deny",
  "resource_type": "document",
  "action": "read",
  "priority": 200,
  "condition_json": {
    "eq": [{ "var": "resource.labels.sensitivity" }, "high"]
  }
}`;
const ALLOW_EDITORS_HOURS = `{
  "name": "allow-editors-hours",
  "effect": "allow",
  "resource_type": "document",
  "action": "write",
  "priority": 100,
  "condition_json": {
    "all": [
      { "eq": [{ "var": "principal.role" }, "editor"] },
      { "time_between": [{ "var": "request.time" }, { "start": "09:00", "end": "18:00" }] }
    ]
  }
}`;

/** Runs a command, and reads the envelope that it prints. */
async function data(command: string): Promise<Record<string, unknown>> {
  const { stdout } = await server.shell(command);
  const envelope = JSON.parse(stdout) as { data?: Record<string, unknown>; error?: unknown };
  expect(envelope.error).toBeUndefined();
  return envelope.data ?? {};
}

const create = (policy: string): Promise<Record<string, unknown>> =>
  data(`curl -s -X POST -H "Authorization: Bearer $ADMIN_API_KEY" -H "Content-Type: application/json" \\
    ${POLICIES} -d '${policy}'`);

describe('policies', () => {
  it('are taken as printed', async () => {
    for (const policy of [DENY_HIGH_SENSITIVITY, ALLOW_EDITORS_HOURS]) {
      expect(await create(policy)).toMatchObject({ ...JSON.parse(policy), version: 1, enabled: true });
    }
  });

  it('are simulated before they are enabled', async () => {
    const { id } = await create(DENY_HIGH_SENSITIVITY.replace('"priority"', '"enabled": false, "priority"'));
    const simulated = await data(`curl -s -X POST -H "Authorization: Bearer $ADMIN_API_KEY" \\
  -H "Content-Type: application/json" \\
  http://localhost:8000/v1/admin/authz/policies/${String(id)}/simulate \\
  -d '{
    "resource_type": "document",
    "action": "read",
    "principal": { "role": "reader" },
    "resource": { "labels": { "sensitivity": "high" } }
  }'`);
    expect(simulated).toMatchObject({ allowed: false, reason: 'policy_deny' });
  });
});

describe('a permission for a document', () => {
  it('is granted to a user, who then reads it', async () => {
    const { stdout } = await server.cli(
      'keys',
      'create',
      '--tenant',
      't1',
      '--role',
      'reader',
      '--name',
      'r',
      '--json',
    );
    const reader = JSON.parse(stdout) as { user_id: string; token: string };
    await data(`curl -s -X POST -H "Authorization: Bearer $API_KEY" -H "Content-Type: application/json" \\
      http://localhost:8000/v1/documents/text -d '{"corpus_id":"c1","document_id":"doc-123","text":"Some raw text."}'`);
    const status = async (): Promise<string> =>
      (
        await server.shell(`curl -s -o /dev/null -w '%{http_code}' -H "Authorization: Bearer ${reader.token}" \\
          http://localhost:8000/v1/documents/doc-123`)
      ).stdout;
    expect(await status()).toBe('403');
    const granted = await data(`curl -s -X POST -H "Authorization: Bearer $ADMIN_API_KEY" \\
  -H "Content-Type: application/json" \\
  http://localhost:8000/v1/admin/authz/documents/doc-123/permissions \\
  -d '{"principal_type": "user", "principal_id": "${reader.user_id}", "permission": "read"}'`);
    expect(granted).toMatchObject({ principal_id: reader.user_id, permission: 'read', expires_at: null });
    expect(await status()).toBe('200');
  });
});
