import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { testDatabase, type TestDatabase } from '../../../test/harness/database.js';
import { testDatabaseUrl } from '../../../test/harness/services.js';
import { runInContext, systemContext } from '../../kernel/context.js';

let db: TestDatabase;
beforeAll(async () => {
  db = await testDatabase();
});
afterAll(() => db.close());

/** The same statement on one connection: parsed and described, then prepared and known. */
const twice = <T>(work: () => Promise<T>): Promise<[T, T]> =>
  runInContext(systemContext('r', 't1'), () => db.uow.run(async () => [await work(), await work()]));

describe('a statement that was used before', () => {
  it('has the same columns, of the same types', async () => {
    const rows = (): Promise<object[]> =>
      db.uow.rows(
        `SELECT n AS "number", NULLIF(n, 2) AS "maybe", n::text AS "text", (n > 1) AS "flag", ARRAY[n] AS "list",
                jsonb_build_object('n', n) AS "object", timestamptz '2026-11-30T12:00:00Z' AS "at"
         FROM generate_series(1, $1::int) n`,
        [2],
      );
    const row = (number: number, maybe: number | null): object => {
      const at = new Date('2026-11-30T12:00:00Z');
      return { number, maybe, text: String(number), flag: number > 1, list: [number], object: { n: number }, at };
    };
    const expected = [row(1, 1), row(2, null)];
    expect(await twice(rows)).toEqual([expected, expected]);
  });

  it('has no row left of the use before', async () => {
    let least = 0;
    const rows = (): Promise<object[]> =>
      db.uow.rows('SELECT n AS "number" FROM generate_series(1, 2) n WHERE n > $1::int', [(least += 1)]);
    expect(await twice(rows)).toEqual([[{ number: 2 }], []]);
  });

  it('counts what it changed', async () => {
    const counts = await runInContext(systemContext('r', 't1'), () =>
      db.uow.run(async () => {
        await db.uow.execute('CREATE TEMP TABLE counted (n int) ON COMMIT DROP');
        const insert = (n: number): Promise<number> =>
          db.uow.execute('INSERT INTO counted SELECT generate_series(1, $1::int)', [n]);
        return [await insert(2), await insert(3)];
      }),
    );
    expect(counts).toEqual([2, 3]);
  });

  // The embedded database prepares nothing, and chokes on what pg sends it then.
  (testDatabaseUrl === undefined ? it.skip : it)(
    'leaves its connection to the next when a value cannot be sent',
    async () => {
      const sent = (value: unknown): Promise<object[]> => db.uow.rows('SELECT $1::text AS "sent"', [value]);
      const unsendable = {
        toPostgres: () => {
          throw new Error('not this one');
        },
      };
      const seen = await runInContext(systemContext('r', 't1'), () =>
        db.uow.read(async () => [await sent('a'), await sent(unsendable).catch(String), await sent('b')]),
      );
      expect(seen).toEqual([[{ sent: 'a' }], expect.stringContaining('not this one'), [{ sent: 'b' }]]);
    },
  );
});
