import { z } from 'zod';
import { TENANT_ID } from '../../features/tenants/index.js';
import { DELIVERY_STATES, Webhooks } from '../../platform/webhooks/index.js';
import { defineCommand } from '../command.js';
import { CommandFailure, EXIT } from '../failure.js';

const MOST_LISTED = 200;
const tenant = z.string().regex(TENANT_ID, 'is not a tenant id').describe('tenant whose deliveries to use');

const item = z.object({
  id: z.string(),
  endpoint: z.string(),
  event_type: z.string(),
  state: z.enum(DELIVERY_STATES),
  attempts: z.number(),
  last_error: z.string().nullable(),
  created_at: z.string(),
});

export const webhooksList = defineCommand({
  name: 'webhooks list',
  summary: `List the latest webhook deliveries of a tenant, newest first, at most ${MOST_LISTED}.`,
  args: z.strictObject({
    tenant,
    state: z
      .enum(DELIVERY_STATES, `must be one of ${DELIVERY_STATES.join(', ')}`)
      .optional()
      .describe(`only deliveries that are ${DELIVERY_STATES.join(', ')}`),
  }),
  result: z.object({ tenant_id: z.string(), items: z.array(item) }),
  run: async (context, { tenant: tenantId, state }) => {
    const webhooks = await context.service(Webhooks);
    const { items } = await context.asSystem(() => webhooks.list(state, MOST_LISTED), tenantId);
    return {
      tenant_id: tenantId,
      items: items.map((delivery) => ({
        id: delivery.id,
        endpoint: delivery.endpoint,
        event_type: delivery.eventType,
        state: delivery.state,
        attempts: delivery.attempts,
        last_error: delivery.lastError,
        created_at: delivery.createdAt.toISOString(),
      })),
    };
  },
  view: ({ tenant_id: tenantId, items }) => ({
    kind: 'table',
    head: ['id', 'endpoint', 'event', 'state', 'attempts', 'last error', 'created'],
    rows: items.map((delivery) => [
      delivery.id,
      delivery.endpoint,
      delivery.event_type,
      delivery.state,
      String(delivery.attempts),
      delivery.last_error ?? '',
      delivery.created_at,
    ]),
    empty: `No such deliveries in the tenant ${tenantId}.`,
  }),
});

export const webhooksReplay = defineCommand({
  name: 'webhooks replay',
  summary: 'Send a dead or cancelled webhook delivery again, or all that are dead.',
  args: z.strictObject({
    tenant,
    delivery: z.string().min(1, 'must not be empty').optional().describe('id of the delivery'),
    allDead: z.boolean().default(false).describe('every dead delivery of the tenant'),
  }),
  result: z.object({ tenant_id: z.string(), replayed: z.array(z.string()) }),
  run: async (context, { tenant: tenantId, delivery, allDead }) => {
    if ((delivery === undefined) !== allDead) {
      throw new CommandFailure('USAGE', 'Give either --delivery or --all-dead.', EXIT.usage);
    }
    const webhooks = await context.service(Webhooks);
    const replayed = await context.asSystem(async () => {
      if (delivery !== undefined) return [(await webhooks.replay(delivery)).id];
      return replayAll(webhooks);
    }, tenantId);
    return { tenant_id: tenantId, replayed };
  },
  view: ({ tenant_id: tenantId, replayed }) => ({
    kind: 'lines',
    lines: [`${replayed.length} deliveries of the tenant ${tenantId} are sent again.`],
  }),
});

/** By pages, so that one that dies again meanwhile, which keeps its place, is not met twice. */
async function replayAll(webhooks: Webhooks): Promise<string[]> {
  const replayed: string[] = [];
  for (let cursor: string | null | undefined; cursor !== null;) {
    const page = await webhooks.list('dead', MOST_LISTED, cursor);
    for (const { id } of page.items) replayed.push((await webhooks.replay(id)).id);
    cursor = page.nextCursor;
  }
  return replayed;
}
