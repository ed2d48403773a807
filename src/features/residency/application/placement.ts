import type { AuditTrail } from '../../../kernel/audit.js';
import type { PolicyDecision } from '../../../kernel/policy-decision.js';
import type { ModelEndpoint } from '../../../platform/model-gateway/index.js';
import { dataPlaneVerdict, type DataPlaneMode } from '../domain/data-plane.js';
import { residencyErrors } from '../residency.errors.js';

export type Surface = ModelEndpoint['surface'];

/** Where a retrieval provider keeps data: null when that is this installation itself. */
export interface ProviderPlace {
  readonly provider: string;
  readonly region: string | null;
}

interface Facts {
  readonly zone: string;
  readonly pin: string;
  readonly providerMode: DataPlaneMode;
  readonly egressMode: DataPlaneMode;
  readonly endpoints: Readonly<Record<Surface, ModelEndpoint>>;
  readonly zoneOf: (region: string) => string;
}

/** What may be where for one tenant, as of one moment: asked before a unit of work, applied in it. */
export class Placement {
  constructor(
    private readonly facts: Facts | undefined,
    private readonly audit?: AuditTrail,
  ) {}

  /** False when nothing can be outside: without a pin, or in single-region mode. */
  get isRestricted(): boolean {
    return this.facts !== undefined;
  }

  /**
   * For a corpus that no vector database governs.
   *
   * @param to set it up, or to ingest, search and answer.
   * @throws residency.provider_mismatch: 409 for setting it up, 403 for its use.
   */
  admitProvider({ provider, region }: ProviderPlace, to: 'change' | 'use'): PolicyDecision[] {
    if (this.facts === undefined) return [];
    const { zone, pin, providerMode, zoneOf } = this.facts;
    const at = region === null ? zone : zoneOf(region);
    const { allowed, code } = dataPlaneVerdict({ zone, pin, at, governedBy: undefined, providerMode });
    if (code === undefined) return [{ engine: 'residency', effect: 'allow' }];
    this.#note('residency.provider_mismatch', { surface: 'provider', provider, region }, providerMode);
    if (allowed) return [note('provider', region, code)];
    throw residencyErrors['residency.provider_mismatch']({
      ...(to === 'change' ? { status: 409 } : {}),
      details: { provider, provider_region: region },
    });
  }

  /**
   * Where texts are about to go. A model of which nobody knows where it is counts as outside, unless it is in this process.
   *
   * @throws residency.egress_blocked
   */
  admitEgress(surfaces: readonly Surface[]): PolicyDecision[] {
    if (this.facts === undefined || this.facts.egressMode === 'off') return [];
    const { pin, egressMode, endpoints, zoneOf } = this.facts;
    const leaving = surfaces
      .map((surface) => endpoints[surface])
      .filter(({ region, isInProcess }) => (region === undefined ? !isInProcess : zoneOf(region) !== pin));
    for (const endpoint of leaving) this.#note('residency.egress', endpoint, egressMode);
    const [first] = leaving;
    if (first !== undefined && egressMode === 'block') {
      const { surface, provider, region } = first;
      throw residencyErrors['residency.egress_blocked']({
        ...(region === undefined ? { message: unknownPlace(surface) } : {}),
        details: { surface, provider, provider_region: region ?? null },
      });
    }
    return leaving.map(({ surface, region = null }) => note(surface, region, 'residency.egress'));
  }

  #note(
    event: 'residency.provider_mismatch' | 'residency.egress',
    { surface, provider, region }: { surface: string; provider: string; region?: string | null | undefined },
    mode: DataPlaneMode,
  ): void {
    const outcome = mode === 'block' ? 'failure' : 'success';
    const metadata = { surface, provider, provider_region: region ?? null, mode };
    this.audit?.note({ event, outcome, metadata, ...(mode === 'block' ? { errorCode: codeOf(event) } : {}) });
  }
}

/** The rule that noted something is about one surface and where it is. */
function note(surface: string, region: string | null, code: string): PolicyDecision {
  return { engine: 'residency', policyId: region === null ? surface : `${surface}:${region}`, effect: 'note', code };
}

export const UNRESTRICTED = new Placement(undefined);

function unknownPlace(surface: Surface): string {
  return `Nobody knows in which region the ${surface} endpoint is, and the tenant does not let data leave its own. Whoever operates the server says it with ${surface.toUpperCase()}_REGION.`;
}

function codeOf(event: string): string {
  return event === 'residency.egress' ? 'residency.egress_blocked' : event;
}
