import { once } from 'node:events';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '../harness/eventually.js';
import { EmbeddedServer, NODE, Program } from '../harness/process.js';
import { parseEvents } from '../harness/sse.js';

let server: EmbeddedServer;
let firstBanner: string;

beforeAll(async () => {
  // What follows sends in seconds what a reader sends in an hour; "the limits of a first start" has them on.
  server = await EmbeddedServer.start({ RATE_LIMIT_ENABLED: 'false' });
  firstBanner = server.program.stdout;
});
afterAll(() => server.discard());

const types = (stream: string) => parseEvents(stream).map((event) => event.data.type as string);

/** The bash blocks of a Markdown file, in order. */
function bashBlocks(file: string): string[] {
  return [...readFileSync(file, 'utf8').matchAll(/```bash\n([\s\S]*?)```/g)].map(([, block = '']) => block);
}

describe('the first start', () => {
  it('prints a curl that answers as it stands', async () => {
    const curl = /curl -N[\s\S]*?}'/.exec(firstBanner)?.[0] ?? '';
    const { stdout } = await Program.run(['bash', '-c', `${curl} -s`]);
    const events = parseEvents(stdout);
    expect(events[0]?.data.type).toBe('request.accepted');
    expect(events.at(-1)?.data.type).toBe('done');
    const final = events.find((event) => event.data.type === 'message.final')?.data.data;
    const cited = final.citations.filter((citation: { cited: boolean }) => citation.cited);
    expect(cited.length).toBeGreaterThan(0);
    expect(final.text).toContain('release gates for Agent 2.0 are');
    expect(cited[0].filename).toBe('agent-2.0-release-gates.md');
  });

  it('prints the key once and keeps it where only its owner reads it', () => {
    expect(firstBanner).toContain(server.key);
    expect(statSync(join(server.dataDir, 'demo-admin-key')).mode & 0o777).toBe(0o600);
  });

  it('has ten chunks over three documents', async () => {
    const { stdout } = await server.shell(
      'for d in demo-1 demo-2 demo-3; do curl -s -H "Authorization: Bearer $API_KEY" localhost:8000/v1/documents/$d; echo; done',
    );
    const documents = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).data);
    expect(documents.map((document) => document.status)).toEqual(['succeeded', 'succeeded', 'succeeded']);
    expect(documents.reduce((sum, document) => sum + document.num_chunks, 0)).toBe(10);
  });
});

describe('the README', () => {
  // What a stranger pastes must work: a broken README is a broken product.
  it('holds commands that work in their order', async () => {
    const [question = '', documents = ''] = bashBlocks('README.md');
    expect(types((await server.shell(question)).stdout)).toEqual(expect.arrayContaining(['message.final', 'done']));
    const commands = documents.split('\n\n');
    const last = commands.pop() ?? '';
    const status = commands.pop() ?? '';
    for (const command of commands) expect((await server.shell(command)).stdout).toContain('"data"');
    await eventually(async () => {
      expect(JSON.parse((await server.shell(status)).stdout).data.status).toBe('succeeded');
    });
    const answer = JSON.parse((await server.shell(last)).stdout).data;
    expect(answer.text).toContain('your team lead');
    expect(answer.citations[0]).toMatchObject({ document_id: 'vacation', cited: true });
  });
});

describe('the guides', () => {
  it('stream, resume and finish in the background with the commands of docs/guides/streaming.md', async () => {
    const { code, stdout } = await server.shell(bashBlocks('docs/guides/streaming.md').join('\n'));
    expect(code).toBe(0);
    const events = types(stdout);
    expect(events.filter((type) => type === 'request.accepted')).toHaveLength(3);
    expect(events.filter((type) => type === 'done').length).toBeGreaterThanOrEqual(4);
    expect(events).not.toContain('resume.unsupported');
  });

  it('repeat a request with the commands of docs/guides/retries.md', async () => {
    const { code, stdout } = await server.shell(bashBlocks('docs/guides/retries.md').join('\n'));
    expect(code).toBe(0);
    const bodies = [...stdout.matchAll(/^\{.*\}$/gm)].map(([body]) => body);
    expect(bodies).toHaveLength(3);
    expect(bodies[1]).toBe(bodies[0]);
    expect(JSON.parse(bodies[0] ?? '').data.name).toBe('Contracts');
    expect(JSON.parse(bodies[2] ?? '').error.code).toBe('IDEMPOTENCY_KEY_CONFLICT');
    expect(stdout.match(/^Idempotency-Replayed: true/gm)).toHaveLength(1);
  });

  it('search, filter, tune and move a corpus with the commands of docs/guides/retrieval.md', async () => {
    const found: string[] = [];
    for (const block of bashBlocks('docs/guides/retrieval.md')) found.push((await server.shell(block)).stdout);
    const [search = '', patch = '', filtered = '', moved = ''] = found;
    expect(JSON.parse(search).data.items).toHaveLength(3);
    expect(JSON.parse(patch).data.provider_config_json.retrieval.feedback).toBe(true);
    const sections = JSON.parse(filtered).data.items.map(
      (item: { metadata: { document_metadata: { section: string } } }) => item.metadata.document_metadata.section,
    );
    expect([...new Set(sections)].sort()).toEqual(['Engineering', 'Release']);
    expect(moved).toContain('"embedding_model":"fake-v1"');
  });

  it('pin a tenant, read and change its configuration with the commands of docs/guides/residency.md', async () => {
    const answers: Record<string, unknown>[] = [];
    for (const block of bashBlocks('docs/guides/residency.md')) {
      answers.push((JSON.parse((await server.shell(block)).stdout) as { data: Record<string, unknown> }).data);
    }
    const [pinned, read, changed, status] = answers;
    expect(pinned).toMatchObject({ tenant_id: 'acme-eu', config: { region: 'eu' }, version: 1 });
    expect(read).toEqual(pinned);
    expect(changed).toMatchObject({ config: { region: 'eu', receipts: 'always' }, version: 2 });
    expect(status).toMatchObject({ zone: null, pinned_tenants: [{ region: 'eu', tenants: 1 }] });
  });
});

describe('the guide to receipts', () => {
  it('finds, verifies, downloads and replays a receipt with the commands of docs/guides/receipts.md', async () => {
    const script = bashBlocks('docs/guides/receipts.md').join('\necho\n');
    const { code, stdout } = await server.shell(script);
    expect(code).toBe(0);
    const bodies = [...stdout.matchAll(/^\{"data".*\}$/gm)].map(([line]) => JSON.parse(line).data);
    const [receipt, list, verdict, replay] = bodies;
    expect(receipt.selected_entries.map((entry: { document_id: string }) => entry.document_id)).toContain('demo-2');
    expect(list.receipts[0].receipt_id).toBe(receipt.receipt_id);
    expect(verdict).toMatchObject({ valid: true, key_id: expect.stringMatching(/^local-/), outcome_valid: true });
    expect(stdout).toMatch(/^receipt +ok$/m);
    expect(replay.diff.drift_class).toBe('none');
  });
});

describe('the limits of a first start', () => {
  // Limits that refuse the second thing a newcomer tries make the product look broken.
  it('let the printed curl answer, and the guides as they stand, pasted all at once', async () => {
    const newcomer = await EmbeddedServer.start();
    try {
      const curl = /curl -N[\s\S]*?}'/.exec(newcomer.program.stdout)?.[0] ?? '';
      const { stdout } = await Program.run(['bash', '-c', `${curl} -s`]);
      expect(types(stdout).at(-1)).toBe('done');
      const streaming = await newcomer.shell(bashBlocks('docs/guides/streaming.md').join('\n'));
      expect(streaming.code).toBe(0);
      expect(types(streaming.stdout).filter((type) => type === 'request.accepted')).toHaveLength(3);
      const retrieval = await newcomer.shell(bashBlocks('docs/guides/retrieval.md').join('\n'));
      expect(retrieval.code).toBe(0);
      expect(streaming.stdout + retrieval.stdout).not.toContain('RATE_LIMITED');
    } finally {
      await newcomer.discard();
    }
  });
});

describe('the guide to keys', () => {
  it('creates, rotates, disables, reactivates, revokes and finds keys with the commands of docs/guides/api-keys.md', async () => {
    const script = bashBlocks('docs/guides/api-keys.md').join('\necho\n');
    const { code, stdout } = await server.shell(`${script}\necho; echo "$response"`);
    expect(code).toBe(0);
    const answers = stdout
      .split(/(?<=\})\s*(?=\{"data")/)
      .map((answer) => (JSON.parse(answer) as { data: Record<string, unknown> }).data);
    const [corpora, disabled, enabled, revoked, report, rotated] = answers;
    expect(corpora).toEqual(expect.arrayContaining([expect.objectContaining({ id: 'c1' })]));
    expect(disabled).toMatchObject({ key_id: rotated?.['key_id'], status: 'disabled', is_active: false });
    expect(enabled).toMatchObject({ status: 'active', expires_at: '2098-12-31T23:59:59.000Z' });
    expect(revoked).toMatchObject({ status: 'revoked', name: 'ci-bot' });
    expect(report).toMatchObject({ inactive_days_threshold: 30, items: [] });
    expect(answers).toHaveLength(6);
  });
});

describe('the guide to the audit trail', () => {
  it('finds, exports and verifies with the commands of docs/guides/audit.md', async () => {
    const found: string[] = [];
    for (const block of bashBlocks('docs/guides/audit.md')) {
      const { code, stdout } = await server.shell(block);
      expect([block, code]).toEqual([block, 0]);
      found.push(stdout);
    }
    const [newest = '', refused = '', request = '', exported = '', verified = ''] = found;
    expect(JSON.parse(newest).data.items).toHaveLength(2);
    for (const event of JSON.parse(refused).data.items) expect(event.outcome).toBe('failure');
    expect(JSON.parse(request).data.items).toEqual([expect.objectContaining({ event_type: 'auth.access.success' })]);
    expect(JSON.parse(exported).event_type).toMatch(/^auth\./);
    expect(JSON.parse(verified).data).toMatchObject({ ok: true, first_bad_id: null });
    const cli = await server.cli('audit', 'verify', '--tenant', 't1', '--json');
    expect([cli.code, JSON.parse(cli.stdout).ok]).toEqual([0, true]);
    expect((await server.cli('audit', 'verify')).code).toBe(0);
  });
});

describe('the guide to authorization', () => {
  it('grants, denies, explains and tests with the commands of docs/guides/authorization.md', async () => {
    const script = bashBlocks('docs/guides/authorization.md').join('\n');
    const { code, stdout } = await server.shell(script.replaceAll('curl -s ', `curl -s -w '\\n' `));
    expect(code).toBe(0);
    const answers = [...stdout.matchAll(/^\{.*\}$/gm)].map(([body]) => JSON.parse(body));
    const [refused, grant, read, simulated, refusedAgain, explained, events, deleted] = answers;
    expect(refused.error).toMatchObject({ code: 'AUTHZ_DENIED', message: 'document permission required' });
    expect(grant.data).toMatchObject({ document_id: 'salaries', principal_type: 'api_key', permission: 'read' });
    expect(read.data).toMatchObject({ id: 'salaries' });
    expect(simulated.data).toMatchObject({ allowed: false, reason: 'policy_deny', matched_policy_id: 'draft' });
    expect(refusedAgain.error).toMatchObject({ code: 'AUTHZ_DENIED', message: 'access denied by policy' });
    expect(explained.data).toMatchObject({
      allowed: false,
      reason: 'policy_deny',
      permissions: [expect.objectContaining({ permission: 'read', counts: true })],
      trace: [{ policy_id: explained.data.matched_policy_id, effect: 'deny', matched: true }],
    });
    expect(events.data.items).toEqual([
      expect.objectContaining({ metadata_json: expect.objectContaining({ reason: 'policy_deny' }) }),
      expect.objectContaining({ metadata_json: expect.objectContaining({ reason: 'document_acl_denied' }) }),
    ]);
    expect(deleted).toBeUndefined();
    for (const [yaml = ''] of readFileSync('docs/guides/authorization.md', 'utf8').matchAll(
      /(?<=```yaml\n)[\s\S]*?(?=```)/g,
    )) {
      const file = join(server.dataDir, 'policies.yaml');
      writeFileSync(file, yaml);
      expect(await server.cli('authz', 'test', file)).toMatchObject({
        code: 0,
        stdout: expect.stringContaining('1 as expected'),
      });
    }
    expect((await server.cli('authz', 'test', 'docs/examples/authorization/sensitivity.yaml')).code).toBe(0);
    expect((await server.cli('authz', 'test', 'package.json')).code).toBe(2);
  });
});

describe('the runbooks', () => {
  // Each of their commands is a process of its own.
  const PATIENCE_MS = 180_000;

  it(
    'onboard, attach, detach and resolve with the commands of docs/runbooks/vector-db-governance.md',
    async () => {
      const script = bashBlocks('docs/runbooks/vector-db-governance.md').join('\n');
      const { code, stdout, stderr } = await server.shell(script);
      expect([code, stderr]).toEqual([0, 'API error during attachments create: Residency policy is inactive\n']);
      expect(stdout).toContain('"data_classification":"restricted","enforcement_mode":"block","active":true');
      expect(stdout).toContain('refused with exit code 4');
      expect(stdout).toMatch(/^\S+ +residency_breach high .*A replica in us$/m);
      expect(stdout).toMatch(/^\d+ +\S+ +registered /m);
      expect(stdout).toMatch(/^\S+ +\d+ +\S+Z Replica outside the region$/m);
      expect(stdout).toContain('"summary": "Replica deleted"');
      expect(stdout.match(/ semantic 6f1c2f0e/g)?.length).toBeGreaterThanOrEqual(3);
    },
    PATIENCE_MS,
  );

  it(
    'register, rotate and revoke with the commands of docs/runbooks/provider-key-rotation.md',
    async () => {
      const script = bashBlocks('docs/runbooks/provider-key-rotation.md').join('\n');
      const { code, stdout, stderr } = await server.shell(script);
      expect([code, stderr]).toEqual([0, expect.stringMatching(/^API error \(403\): [^\n]+\n$/)]);
      expect(stdout).toMatch(/^\d+ +\S+ +registered /m);
      expect(stdout).toMatch(/^\S+ approved +\S+ jo@customer\.example$/m);
      expect(stdout).toMatch(/^\S+ wages active 2099-01-31T09:00:00.000Z /m);
      expect(stdout).toMatch(/^\S+ failed +\S+ jo@customer\.example$/m);
      expect(stdout).toMatch(/^\S+ compromised /m);
      expect(stdout.trim().split('\n').at(-1)).toBe('1');
    },
    PATIENCE_MS,
  );
});

describe('the guide to policy bundles', () => {
  it('redacts what is sensitive with the commands of docs/guides/policy-bundles.md', async () => {
    const run = async (block: string | undefined): Promise<string> => (await server.shell(block ?? 'false')).stdout;
    const [document, bundle, enforce, search, off] = bashBlocks('docs/guides/policy-bundles.md');
    await run(document);
    expect(JSON.parse(await run(bundle)).data).toMatchObject({ rule_count: 1, tenant_id: 't1', active: true });
    // Not before it is enforced does anything change.
    await eventually(async () => expect(await run(search)).toContain('passport 4711'));
    expect(JSON.parse(await run(enforce)).data.config).toMatchObject({ policy_mode: 'enforce' });
    expect(JSON.parse(await run(search)).data.items).toEqual([
      expect.objectContaining({ document_id: 'visitors', text: '[REDACTED by policy]', redacted: true }),
    ]);
    expect(await run(off)).toContain('"rules":[]');
    expect(await run(search)).toContain('passport 4711');
  });
});

describe("the order's own examples", () => {
  const auth = '-H "Authorization: Bearer $API_KEY"';
  const json = '-H "Content-Type: application/json"';
  const host = 'http://localhost:8000';

  it('health, corpora and their provider config', async () => {
    expect((await server.shell(`curl -s ${host}/v1/health`)).stdout).toContain('"status":"ok"');
    expect((await server.shell(`curl -s ${auth} ${host}/v1/corpora`)).stdout).toContain('"Demo Corpus"');
    expect((await server.shell(`curl -s ${auth} ${host}/v1/corpora/c1`)).stdout).toContain('"local_pgvector"');
    const config = (retrieval: object) => JSON.stringify({ provider_config_json: { retrieval } });
    const bedrock = { provider: 'aws_bedrock_kb', knowledge_base_id: 'KB123', region: 'us-east-1', top_k_default: 5 };
    const patched = await server.shell(
      `curl -s -X PATCH ${json} ${auth} ${host}/v1/corpora/c1 -d '${config(bedrock)}'`,
    );
    expect(JSON.parse(patched.stdout).data.provider_config_json.retrieval).toEqual(bedrock);
    const local = config({ provider: 'local_pgvector', top_k_default: 5 });
    await server.shell(`curl -sf -X PATCH ${json} ${auth} ${host}/v1/corpora/c1 -d '${local}'`);
  });

  it.each(['What is the testing strategy of agent 2.0?', 'What are the release gates for Agent 2.0?'])(
    'run: %s',
    async (message) => {
      const body = JSON.stringify({ session_id: 'seed', corpus_id: 'c1', message, top_k: 5, audio: false });
      const { stdout } = await server.shell(`curl -sN ${json} ${auth} -X POST ${host}/v1/run -d '${body}'`);
      expect(types(stdout)).toEqual(
        expect.arrayContaining(['request.accepted', 'token.delta', 'message.final', 'done']),
      );
    },
  );

  it('upload, raw text, status, list, reindex, delete', async () => {
    const upload = await server.shell(
      `cd "$(mktemp -d)" && printf 'An example about otters.' > example.txt && ` +
        `curl -s -X POST ${auth} -F "corpus_id=c1" -F "file=@./example.txt;type=text/plain" ${host}/v1/documents`,
    );
    const uploaded = JSON.parse(upload.stdout).data;
    expect(uploaded).toMatchObject({ job_id: expect.any(String), status_url: `/v1/documents/${uploaded.document_id}` });
    const text = {
      corpus_id: 'c1',
      text: 'Some raw text to ingest.',
      document_id: 'doc-123',
      filename: 'notes.txt',
      overwrite: false,
    };
    await server.shell(`curl -sf -X POST ${json} ${auth} ${host}/v1/documents/text -d '${JSON.stringify(text)}'`);
    const settled = (id: string) =>
      eventually(async () => {
        const { stdout } = await server.shell(`curl -s ${auth} ${host}/v1/documents/${id}`);
        expect(JSON.parse(stdout).data.status).toBe('succeeded');
      });
    await settled(uploaded.document_id as string);
    await settled('doc-123');
    const list = JSON.parse((await server.shell(`curl -s ${auth} ${host}/v1/documents`)).stdout).data;
    expect(list.map((document: { id: string }) => document.id)).toContain('doc-123');
    const reindex = await server.shell(
      `curl -s -o /dev/null -w '%{http_code}' -X POST ${json} ${auth} ${host}/v1/documents/doc-123/reindex ` +
        `-d '{"chunk_size_chars": 1200, "chunk_overlap_chars": 150}'`,
    );
    expect(reindex.stdout).toBe('202');
    await settled('doc-123');
    const deleted = await server.shell(
      `curl -s -o /dev/null -w '%{http_code}' -X DELETE ${auth} ${host}/v1/documents/doc-123`,
    );
    expect(deleted.stdout).toBe('204');
  });
});

describe('commands while the server runs', () => {
  it('create, list, rotate and revoke keys that the server honours at once', async () => {
    const created = JSON.parse(
      (await server.cli('keys', 'create', '--tenant', 't1', '--role', 'reader', '--name', 'ci', '--json')).stdout,
    );
    const status = async (token: string) =>
      (
        await server.shell(
          `curl -s -o /dev/null -w '%{http_code}' -H "Authorization: Bearer ${token}" localhost:8000/v1/corpora`,
        )
      ).stdout;
    const token = /nrgk_\w+_[\w-]{43}/.exec(JSON.stringify(created))?.[0] ?? '';
    const keyId = token.split('_')[1] ?? '';
    expect(await status(token)).toBe('200');
    expect((await server.cli('keys', 'list', '--tenant', 't1')).stdout).toContain(keyId);
    const rotated = await server.cli('keys', 'rotate', keyId, '--json');
    const newToken = /nrgk_\w+_[\w-]{43}/.exec(rotated.stdout)?.[0] ?? '';
    expect([await status(token), await status(newToken)]).toEqual(['401', '200']);
    expect((await server.cli('keys', 'revoke', newToken.split('_')[1] ?? '')).code).toBe(0);
    expect(await status(newToken)).toBe('401');
    expect((await server.cli('keys', 'revoke', 'f'.repeat(32))).code).toBe(1);
  });

  it('seed twice changes nothing', async () => {
    const again = await server.cli('seed', 'demo');
    expect(again).toMatchObject({ code: 0, stdout: expect.stringMatching(/already seeded/i) });
  });

  it('smoke a provider, with exit codes', async () => {
    const found = await server.cli('provider', 'smoke', '--tenant', 't1', '--corpus', 'c1', '--query', 'release gates');
    expect(found.code).toBe(0);
    expect(found.stdout).toContain('demo://doc/2');
    const missing = await server.cli('provider', 'smoke', '--tenant', 't1', '--corpus', 'nope', '--query', 'x');
    expect(missing).toMatchObject({ code: 2, stderr: expect.stringContaining('RETRIEVAL_CONFIG_INVALID') });
  });

  it('show migrations and the state of everything', async () => {
    const migrations = await server.cli('migrate', 'status', '--json');
    expect(migrations.code).toBe(0);
    expect(migrations.stdout).toContain('TenantsAndKeys');
    expect((await server.cli('doctor')).code).toBe(0);
  });

  it('explain themselves and refuse what they do not know', async () => {
    expect((await server.cli('--help')).stdout).toContain('keys');
    expect((await server.cli('keys', 'create', '--role', 'reader')).code).toBe(2);
    expect((await server.cli('nonsense')).code).toBe(2);
  });
});

describe('what stands in the way of a start gets one line', () => {
  it('a taken port', async () => {
    const dataDir = EmbeddedServer.folder();
    const { code, stderr, stdout } = await Program.run([NODE, 'dist/src/main.js'], {
      PORT: String(server.port),
      NEXUSRAG_DATA_DIR: dataDir,
    });
    expect(code).toBe(1);
    expect((stderr + stdout).trim().split('\n')).toEqual([expect.stringContaining(`${server.port}`)]);
  });

  it('a data folder that another process holds', async () => {
    const { code, stderr, stdout } = await Program.run([NODE, 'dist/src/main.js'], {
      PORT: '0',
      NEXUSRAG_DATA_DIR: server.dataDir,
    });
    expect(code).toBe(1);
    expect((stderr + stdout).trim().split('\n')).toEqual([expect.stringContaining(server.dataDir)]);
  });

  it('unsafe production settings, all of them together', async () => {
    const { code, stderr } = await Program.run([NODE, 'dist/src/main.js'], {
      NODE_ENV: 'production',
      AUTH_DEV_BYPASS: 'true',
      RUN_MAX_CONCURENCY: '5',
    });
    expect(code).not.toBe(0);
    for (const name of ['DATABASE_URL', 'REDIS_URL', 'AUTH_DEV_BYPASS', 'RUN_MAX_CONCURENCY'])
      expect(stderr).toContain(name);
  });
});

describe('tracing variables of a shell', () => {
  // Somebody who develops with LangChain has these set; a bank's questions must not end up with a third party.
  it('send nothing anywhere and print nothing', async () => {
    const uploads: string[] = [];
    const collector = createServer((request, response) => {
      uploads.push(`${request.method} ${request.url}`);
      response.end('{}');
    }).listen(0, '127.0.0.1');
    await once(collector, 'listening');
    const endpoint = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`;
    const tracing = { TRACING: 'true', TRACING_V2: 'true', ENDPOINT: endpoint, API_KEY: 'key', VERBOSE: 'true' };
    const env = Object.entries(tracing).flatMap(([name, value]) => [
      [`LANGSMITH_${name}`, value],
      [`LANGCHAIN_${name}`, value],
    ]);
    const traced = await EmbeddedServer.start(Object.fromEntries(env) as Record<string, string>);
    try {
      const body = JSON.stringify({ session_id: 's', corpus_id: 'c1', message: 'my secret plan', stream: false });
      const { stdout } = await traced.shell(
        `curl -s -X POST localhost:8000/v1/run -H "Authorization: Bearer $API_KEY" ` +
          `-H "Content-Type: application/json" -d '${body}'`,
      );
      expect(stdout).toContain('"citations"');
      expect(await traced.stop()).toBe(0);
      expect(uploads).toEqual([]);
      expect(traced.program.stdout + traced.program.stderr).not.toContain('my secret plan');
    } finally {
      await traced.discard();
      collector.close();
    }
  });
});

describe('stopping and starting again', () => {
  it('Ctrl-C exits 0, and the next start finds everything as it was', async () => {
    const { key, dataDir } = server;
    expect(await server.stop('SIGINT')).toBe(0);
    server = await EmbeddedServer.start({ RATE_LIMIT_ENABLED: 'false' }, dataDir);
    expect(server.program.stdout).not.toContain(key);
    expect(server.program.stdout).toContain(`$(cat ${join(dataDir, 'demo-admin-key')})`);
    const { stdout } = await server.shell('curl -s -H "Authorization: Bearer $API_KEY" localhost:8000/v1/documents');
    expect(stdout).toContain('"vacation"');
    expect(await server.stop('SIGTERM')).toBe(0);
  });

  it('commands work while the server is stopped, too', async () => {
    const listed = await server.cli('keys', 'list', '--tenant', 't1', '--json');
    expect(listed.code).toBe(0);
    expect(listed.stdout).toContain('demo-admin');
  });
});
