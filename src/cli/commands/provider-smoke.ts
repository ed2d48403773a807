import { z } from 'zod';
import { Corpora, CorpusRules } from '../../features/corpora/index.js';
import { Retriever } from '../../features/retrieval/index.js';
import { TENANT_ID } from '../../features/tenants/index.js';
import { VectorDbAccess } from '../../features/vector-dbs/index.js';
import { AuditTrail } from '../../kernel/audit.js';
import { isAppError } from '../../kernel/errors.js';
import { UnitOfWork } from '../../platform/db/index.js';
import { defineCommand } from '../command.js';
import { asFailure, CommandFailure, EXIT } from '../failure.js';

const SHOWN_CHARS = 120;

export const providerSmoke = defineCommand({
  name: 'provider smoke',
  summary: 'Search a corpus through its retrieval provider, without a language model.',
  args: z.strictObject({
    tenant: z.string().regex(TENANT_ID, 'is not a tenant id').describe('tenant of the corpus'),
    corpus: z.string().min(1, 'must not be empty').describe('corpus to search'),
    query: z.string().trim().min(1, 'must not be empty').describe('what to look for'),
    topK: z.coerce
      .number('must be a number')
      .int('must be a whole number')
      .min(1, 'must be at least 1')
      .max(50, 'must be at most 50')
      .optional()
      .describe('passages to ask for (default: what the corpus says)'),
  }),
  result: z.object({
    provider: z.string(),
    items: z.array(z.object({ score: z.number(), source: z.string(), text: z.string() })),
  }),
  run: async (context, { tenant, corpus: id, query, topK }) => {
    const [corpora, rules] = [await context.service(Corpora), await context.service(CorpusRules)];
    const [access, retriever] = [await context.service(VectorDbAccess), await context.service(Retriever)];
    const [uow, audit] = [await context.service(UnitOfWork), await context.service(AuditTrail)];
    try {
      return await context.asSystem(async () => {
        const corpus = await corpora.get(id);
        (await rules.current()).admitUse(corpus, 'search');
        await access.require(corpus, 'retrieve');
        const { provider, passages } = await retriever.retrieve(corpus, {
          query,
          topK: retriever.topK(corpus, topK),
          reader: 'system',
        });
        await uow.run(() =>
          audit.record({
            event: 'corpora.smoke_tested',
            outcome: 'success',
            resourceType: 'corpus',
            resourceId: corpus.id,
            metadata: { provider, passages: passages.length },
          }),
        );
        return { provider, items: passages.map(({ score, source, text }) => ({ score, source, text })) };
      }, tenant);
    } catch (error) {
      throw smokeFailure(error, id);
    }
  },
  view: ({ items }) => ({
    kind: 'lines',
    lines: items.map(({ score, source, text }) => `${score.toFixed(4)} ${source} ${shorten(text)}`),
  }),
});

/** Exit codes that tell a script where to look: 2 configuration, 3 credentials, 4 retrieval, 1 anything else. */
export function smokeFailure(error: unknown, corpus: string): CommandFailure {
  if (isAppError(error, 'NOT_FOUND')) {
    const message = `The tenant has no corpus ${corpus}.`;
    return new CommandFailure('RETRIEVAL_CONFIG_INVALID', message, EXIT.usage, error);
  }
  const { code, message } = asFailure(error);
  return new CommandFailure(code, message, smokeExit(code), error);
}

function smokeExit(code: string): number {
  if (/CONFIG|FEATURE|DIMENSION_MISMATCH|SETTINGS|MIGRATIONS/.test(code)) return EXIT.usage;
  if (/AUTH/.test(code)) return 3;
  if (/RETRIEVAL|EMBEDDING/.test(code)) return 4;
  return EXIT.failure;
}

function shorten(text: string): string {
  return Array.from(text.replace(/\s+/g, ' ').trim()).slice(0, SHOWN_CHARS).join('');
}
