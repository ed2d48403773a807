import { Injectable } from '@nestjs/common';
import { tryContext } from '../../../kernel/context.js';
import { Log } from '../../../kernel/log.js';
import { TenantConfigs } from '../../residency/index.js';
import type { Caller, Screen } from '../domain/screening.js';
import { policyBundlesErrors } from '../policy-bundles.errors.js';
import { BundlesInForce } from './bundles-in-force.js';

/** What the texts that the context's principal is to get are screened by. */
@Injectable()
export class Screens {
  constructor(
    private readonly bundles: BundlesInForce,
    private readonly configs: TenantConfigs,
    private readonly log: Log,
  ) {}

  /**
   * Not inside a unit of work. Costs nothing while the process remembers the tenant.
   *
   * @throws POLICY_UNAVAILABLE when the bundle cannot be had and the tenant enforces it. One that only logs goes without, and
   * its receipts say so.
   */
  async current(): Promise<Screen> {
    const { policyMode: mode } = await this.configs.current();
    const caller = callerOf();
    try {
      return { bundle: await this.bundles.current(), mode, caller };
    } catch (error) {
      if (mode === 'enforce') throw policyBundlesErrors.POLICY_UNAVAILABLE({ cause: error });
      this.log.warn({ err: error, tenant_id: tryContext()?.tenantId }, 'policy_bundle_unavailable_not_screening');
      return { bundle: undefined, mode, caller, unavailable: true };
    }
  }
}

function callerOf(): Caller {
  const principal = tryContext()?.principal;
  return principal === undefined
    ? { type: 'system', id: 'system' }
    : { type: principal.callerType ?? principal.role, id: principal.apiKeyId };
}
