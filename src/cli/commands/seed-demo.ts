import { z } from 'zod';
import { demoTarget } from '../../app/demo/demo-target.js';
import { seedDemo } from '../../app/demo/seed-demo.js';
import { defineCommand } from '../command.js';

export const seedDemoCommand = defineCommand({
  name: 'seed demo',
  summary:
    'Add the demo tenant t1, on the plan enterprise, and its corpus c1 with three documents, unless they are there.',
  args: z.strictObject({}),
  result: z.object({
    tenant_id: z.string(),
    corpus_id: z.string(),
    seeded: z.boolean(),
    documents: z.int(),
    chunks: z.int(),
  }),
  run: async (context) => {
    const target = demoTarget(await context.application(), await context.infrastructure());
    const { tenantId, corpusId, seeded, documents, chunks } = await seedDemo(target);
    return { tenant_id: tenantId, corpus_id: corpusId, seeded, documents, chunks };
  },
  view: ({ tenant_id: tenant, corpus_id: corpus, seeded, documents, chunks }) => ({
    kind: 'lines',
    lines: [
      seeded
        ? `Seeded ${chunks} chunks of ${documents} documents into ${corpus} of the tenant ${tenant}.`
        : `already seeded: ${corpus} of the tenant ${tenant} has ${chunks} chunks.`,
    ],
  }),
});
