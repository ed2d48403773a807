import { Injectable } from '@nestjs/common';
import { dataPlaneVerdict, Residency, type DataPlaneVerdict } from '../../residency/index.js';
import type { EnforcementMode } from '../domain/residency-policy.js';

/**
 * @param region of the vector database; null when nobody recorded it.
 * @param policy undefined before anything is attached: then only the tenant's pin stands against it.
 */
export type JudgeRegions = (
  region: string | null,
  policy?: { readonly region: string; readonly mode: EnforcementMode },
) => DataPlaneVerdict;

/** Whether the data of a vector database is where its policy and the tenant's pin want it. */
@Injectable()
export class DataPlaneRegions {
  constructor(private readonly residency: Residency) {}

  /** What decides for the context's tenant. Before the unit of work in which it decides. */
  async judge(): Promise<JudgeRegions> {
    return this.judgeFor(this.residency.zone === undefined ? null : await this.residency.pin());
  }

  judgeFor(pin: string | null): JudgeRegions {
    const { zone, providerMode } = this.residency;
    return (region, policy) => {
      const at = region === null ? undefined : this.residency.zoneOf(region);
      const governedBy =
        policy === undefined
          ? { zone: (zone === undefined ? null : pin) ?? at ?? '', mode: 'monitor' as const }
          : { zone: this.residency.zoneOf(policy.region), mode: policy.mode };
      return dataPlaneVerdict({ zone, pin, at, governedBy, providerMode });
    };
  }
}
