import { Inject, Injectable } from '@nestjs/common';
import { commonErrors } from '../../../kernel/common-errors.js';
import type { AppError } from '../../../kernel/errors.js';
import { Corpora } from '../../corpora/index.js';
import { KeyBindings, providerKeysErrors, type AttachableBinding, type KeyState } from '../../provider-keys/index.js';
import type { DataPlaneVerdict } from '../../residency/index.js';
import { namesDb, type AttachmentType } from '../domain/attachment.js';
import type { ResidencyPolicy } from '../domain/residency-policy.js';
import type { VectorDb } from '../domain/vector-db.js';
import { ResidencyPoliciesRepository } from '../persistence/residency-policies.repository.js';
import { vectorDbsErrors } from '../vector-dbs.errors.js';
import { vectorDbsSettings, type VectorDbsSettings } from '../vector-dbs.settings.js';
import { DataPlaneRegions, type JudgeRegions } from './data-plane-regions.js';

export interface AttachmentRequest {
  readonly type: AttachmentType;
  readonly ref: string;
  readonly policyId: number;
  readonly bindingId: string;
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** What stands against an attachment, by the name of the check that found it. */
export interface Rejection {
  readonly check:
    | 'policy'
    | 'policy_active'
    | 'binding'
    | 'binding_type'
    | 'binding_target'
    | 'key'
    | 'region'
    | 'corpus'
    | 'duplicate';
  readonly error: AppError;
}

export interface Passed {
  readonly binding: AttachableBinding;
  readonly bindingNamesDb: boolean;
  /** Of a breach that the policy only monitors. */
  readonly incident: DataPlaneVerdict['incident'];
}

const USABLE: readonly KeyState[] = ['active', 'rotating'];

/**
 * Checks 2 to 9 of an attachment, in this order. Policy, binding and key stay as they were found until the transaction
 * ends: nobody deactivates or revokes between the check and the insert.
 */
@Injectable()
export class AttachmentChecks {
  constructor(
    private readonly policies: ResidencyPoliciesRepository,
    private readonly keys: KeyBindings,
    private readonly corpora: Corpora,
    private readonly dataPlane: DataPlaneRegions,
    @Inject(vectorDbsSettings.token) private readonly settings: VectorDbsSettings,
  ) {}

  /** What decides about regions. Before the transaction. */
  regions(): Promise<JudgeRegions> {
    return this.dataPlane.judge();
  }

  /** In the transaction of the insert. A corpus stays until that ends. */
  async check(db: VectorDb, request: AttachmentRequest, judge: JudgeRegions): Promise<Passed | Rejection> {
    const policy = await this.policies.lock(db.id, request.policyId);
    if (policy === undefined) return rejected('policy', vectorDbsErrors.RESIDENCY_POLICY_NOT_FOUND());
    if (!policy.active) return rejected('policy_active', vectorDbsErrors.RESIDENCY_POLICY_INACTIVE());
    const binding = await this.keys.lock(request.bindingId);
    if (binding === undefined) return rejected('binding', vectorDbsErrors.PROVIDER_KEY_BINDING_NOT_FOUND());
    const bindingNamesDb = namesDb(binding, db.uid);
    const fault = this.#faultOf(binding, bindingNamesDb);
    if (fault !== undefined) return fault;
    const { allowed, incident } = judgeUnder(policy, db, judge);
    if (!allowed) return rejected('region', vectorDbsErrors['residency.vector_db_mismatch']());
    if (request.type === 'corpus' && !(await this.corpora.hold(request.ref))) {
      return rejected('corpus', commonErrors.NOT_FOUND({ message: 'No such corpus.' }));
    }
    return { binding, bindingNamesDb, incident };
  }

  #faultOf({ bindingType, keyState }: AttachableBinding, bindingNamesDb: boolean): Rejection | undefined {
    const mismatch = vectorDbsErrors.PROVIDER_KEY_BINDING_SCOPE_MISMATCH;
    if (bindingType !== 'vector_db') return rejected('binding_type', mismatch());
    if (this.settings.bindingTargetStrict && !bindingNamesDb) return rejected('binding_target', mismatch());
    if (!USABLE.includes(keyState)) {
      return rejected('key', providerKeysErrors.PROVIDER_KEY_NOT_USABLE({ message: 'Provider key is not active' }));
    }
    return undefined;
  }
}

function judgeUnder({ region, enforcementMode }: ResidencyPolicy, db: VectorDb, judge: JudgeRegions): DataPlaneVerdict {
  return judge(db.region, { region, mode: enforcementMode });
}

export function rejected(check: Rejection['check'], error: AppError): Rejection {
  return { check, error };
}
