import { z } from 'zod';
import { Plans } from '../../features/plans/index.js';
import { TENANT_ID } from '../../features/tenants/index.js';
import { defineCommand } from '../command.js';

export const plansAssign = defineCommand({
  name: 'plans assign',
  summary: 'Put a tenant on a plan, which approves its request for that plan.',
  positional: ['planId'],
  args: z.strictObject({
    planId: z.string().min(1, 'must not be empty').describe('free | pro | enterprise'),
    tenant: z.string().regex(TENANT_ID, 'is not a tenant id').describe('tenant that gets the plan'),
  }),
  result: z.object({ tenant_id: z.string(), plan_id: z.string(), effective_from: z.string() }),
  run: async (context, { planId, tenant }) => {
    const plans = await context.service(Plans);
    const { facts } = await context.asSystem(() => plans.assign(planId), tenant);
    return {
      tenant_id: tenant,
      plan_id: facts.planId,
      effective_from: facts.effectiveFrom?.toISOString() ?? '',
    };
  },
  view: ({ tenant_id: tenant, plan_id: plan }) => ({
    kind: 'lines',
    lines: [`The tenant ${tenant} is on the plan ${plan}.`],
  }),
});
