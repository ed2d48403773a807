import { z } from 'zod';
import { defineCommand } from '../command.js';

const none = z.strictObject({});

export const migrateUp = defineCommand({
  name: 'migrate up',
  summary: 'Apply every pending migration, oldest first.',
  args: none,
  result: z.object({ applied: z.array(z.string()) }),
  run: async (context) => ({ applied: await (await context.migrator()).up() }),
  view: ({ applied }) => ({
    kind: 'lines',
    lines: applied.length === 0 ? ['Nothing to apply.'] : applied.map((name) => `applied ${name}`),
  }),
});

export const migrateDown = defineCommand({
  name: 'migrate down',
  summary: 'Revert the newest migration. Its tables are dropped with their rows.',
  args: none,
  result: z.object({ reverted: z.string().nullable() }),
  run: async (context) => ({ reverted: (await (await context.migrator()).down()) ?? null }),
  view: ({ reverted }) => ({
    kind: 'lines',
    lines: [reverted === null ? 'Nothing to revert.' : `reverted ${reverted}`],
  }),
});

export const migrateStatus = defineCommand({
  name: 'migrate status',
  summary: 'List the migrations and which of them are applied.',
  args: none,
  result: z.object({ migrations: z.array(z.object({ name: z.string(), applied: z.boolean() })) }),
  run: async (context) => ({
    migrations: (await (await context.migrator()).status()).map(({ name, applied }) => ({ name, applied })),
  }),
  view: ({ migrations }) => ({
    kind: 'table',
    head: ['migration', 'state'],
    rows: migrations.map(({ name, applied }) => [name, applied ? 'applied' : 'pending']),
    empty: 'There are no migrations.',
  }),
});
