import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Response } from 'supertest';
import { TestApp } from '../../harness/app.js';
import { testDatabaseUrl } from '../../harness/services.js';
import { asOwner } from '../retrieval/chunks.js';
import { dataOf, errorOf, Governed, rowsOf } from './governed.js';

/** Rounds of each race. A thousand of them are run before a release. */
const asked = process.env['GOVERNANCE_ROUNDS'];
const ROUNDS = asked === undefined ? 15 : Number(asked);
const MAX_MS = 60_000 + ROUNDS * 3000;

let app: TestApp;

beforeAll(async () => {
  app = await TestApp.start({ RUN_MAX_CONCURRENCY: '64' }, {}, false);
  // Whatever the application checked: nothing is committed under a policy that is off or with a binding that is revoked.
  await asOwner(
    app,
    `CREATE FUNCTION allowed_at_commit() RETURNS trigger LANGUAGE plpgsql AS $$
     BEGIN
       IF NOT EXISTS (SELECT FROM vector_db_residency_policies p WHERE p.id = NEW.residency_policy_id AND p.active)
         OR NOT EXISTS (SELECT FROM provider_key_bindings b JOIN provider_keys k ON k.id = b.provider_key_id
                         WHERE b.id = NEW.provider_key_binding_id AND b.revoked_at IS NULL
                           AND k.state IN ('active', 'rotating'))
       THEN RAISE EXCEPTION 'forbidden state'; END IF;
       RETURN NULL;
     END $$;
     CREATE CONSTRAINT TRIGGER allowed_at_commit AFTER INSERT ON vector_db_attachments
       DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION allowed_at_commit()`,
  );
});
afterAll(() => app.close());

describe('18 case 12: detaching one attachment twenty times at once', () => {
  it('succeeds once, and keeps the reason of the one that did', async () => {
    const db = await Governed.open(app);
    const attachment = dataOf(await db.attach(await db.policy(), (await db.bind()).bindingId).expect(200));
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) => db.detach(attachment['id'], { reason: `Reason ${i}` })),
    );
    const winner = answers.filter(({ status }) => status === 200);
    expect(winner).toHaveLength(1);
    const losers = answers.filter(({ status }) => status !== 200).map(errorOf);
    expect(losers).toEqual(Array(19).fill([409, 'ATTACHMENT_ALREADY_DETACHED', 'Attachment already detached']));
    const [stored] = rowsOf(await db.owner.get(`${db.path}/attachments`).expect(200));
    expect(stored?.['detached_reason']).toBe(dataOf(winner[0]!)['detached_reason']);
  });
});

describe('resolving one incident at once', () => {
  it('succeeds once', async () => {
    const db = await Governed.open(app);
    const incident = dataOf(await db.owner.post(`${db.path}/incidents`, { incident_type: 'x' }).expect(200));
    const path = `${db.path}/incidents/${String(incident['id'])}`;
    const answers = await Promise.all(Array.from({ length: 10 }, () => db.owner.patch(path, {})));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array<number>(9).fill(409)]);
  });
});

describe('attaching one workload at once', () => {
  it('succeeds once', async () => {
    const db = await Governed.open(app);
    const [policy, { bindingId }] = [await db.policy(), await db.bind()];
    const attachment_ref = '0198c0de-0000-7000-8000-000000000000';
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => db.attach(policy, bindingId, { attachment_ref })),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array<number>(9).fill(409)]);
  });
});

/** One connection serves the requests in their order: whatever is asked first is decided first. */
const SERIAL = testDatabaseUrl === undefined;

/** On many connections either comes first at times, or there was no race. */
function expectRaces(seen: { attached: number; refused: number }): void {
  expect([seen, SERIAL || (seen.attached > 0 && seen.refused > 0)]).toEqual([seen, true]);
}

describe(`${ROUNDS} rounds of what must not overlap, ${SERIAL ? 'one after the other on one connection: no race' : 'on many connections'}`, () => {
  // An attachment that slips in while its policy is switched off is one that nobody meant to allow.
  it(
    'attach and deactivate: attached only before the policy is off',
    async () => {
      const db = await Governed.open(app);
      const { bindingId } = await db.bind();
      const seen = { attached: 0, refused: 0 };
      for (let round = 0; round < ROUNDS; round += 1) {
        const policy = await db.policy({ active: true });
        const attaching = [0, 1, 2].map(() => db.attach(policy, bindingId));
        const deactivating = db.owner.post(`${db.path}/residency-policies`, { region: 'eu', active: false });
        const [off, ...answers] = await Promise.all([deactivating, ...attaching]);
        expect(off.status).toBe(200);
        const after = await db.attach(policy, bindingId);
        expect(errorOf(after)[1]).toBe('RESIDENCY_POLICY_INACTIVE');
        for (const answer of answers) {
          if (answer.status === 200) seen.attached += 1;
          else {
            expect(errorOf(answer)[1]).toBe('RESIDENCY_POLICY_INACTIVE');
            seen.refused += 1;
          }
        }
      }
      expectRaces(seen);
    },
    MAX_MS,
  );

  it(
    'attach and revoke: attached only before the key is compromised, and then with an incident',
    async () => {
      const db = await Governed.open(app);
      const policy = await db.policy();
      const seen = { attached: 0, refused: 0 };
      for (let round = 0; round < ROUNDS; round += 1) {
        const bound = await db.bind();
        const revoke = async (): Promise<Response> => db.revoke(bound, true);
        // Whichever starts first mostly wins: they take turns.
        const early = round % 2 === 0 ? [revoke()] : [];
        const attaching = [0, 1, 2].map(async () => db.attach(policy, bound.bindingId));
        const [revoked, ...answers] = await Promise.all([early[0] ?? revoke(), ...attaching]);
        expect(revoked.status).toBe(200);
        for (const answer of answers) {
          if (answer.status !== 200) {
            expect(['PROVIDER_KEY_BINDING_NOT_FOUND', 'PROVIDER_KEY_NOT_USABLE']).toContain(errorOf(answer)[1]);
            seen.refused += 1;
            continue;
          }
          seen.attached += 1;
          const incidents = await app.rows(
            `SELECT incident_type FROM vector_db_incident_logs WHERE attachment_id = $1`,
            [dataOf(answer)['id']],
          );
          expect(incidents).toEqual([{ incident_type: 'key_revoked' }]);
        }
        expect(errorOf(await db.attach(policy, bound.bindingId))[1]).toBe('PROVIDER_KEY_BINDING_NOT_FOUND');
      }
      expectRaces(seen);
    },
    MAX_MS,
  );

  // What is compromised must not be read from any more, from the moment on in which somebody knows that it is.
  it(
    'run and revoke: no run that is asked for after the answer to the revocation is served',
    async () => {
      const db = await Governed.open(app);
      const policy = await db.policy();
      const corpusId = await db.corpus();
      const workload = { attachment_type: 'corpus', attachment_ref: corpusId };
      for (let round = 0; round < ROUNDS; round += 1) {
        const bound = await db.bind();
        const attachment = dataOf(await db.attach(policy, bound.bindingId, workload).expect(200));
        const racing = [db.run(corpusId), db.run(corpusId)];
        const late = db.revoke(bound, true).then(async ({ status }) => {
          expect(status).toBe(200);
          return Promise.all([db.run(corpusId), db.owner.get(`/v1/corpora/${corpusId}/search?q=penguins`)]);
        });
        const [answers, after] = await Promise.all([Promise.all(racing), late]);
        for (const answer of answers) if (answer.status !== 200) expect(errorOf(answer)[1]).toBe('BYOK_POSTURE_VETO');
        expect(after.map((answer) => errorOf(answer)[1])).toEqual(['BYOK_POSTURE_VETO', 'BYOK_POSTURE_VETO']);
        await db.detach(attachment['id']).expect(200);
      }
    },
    MAX_MS,
  );
});
