import { Injectable } from '@nestjs/common';
import { UnitOfWork } from '../../../platform/db/index.js';
import { Entitlements } from '../../plans/index.js';
import { KeyBindings, type BindingPosture } from '../../provider-keys/index.js';
import type { AccessFacts } from '../domain/access-verdict.js';
import { CorpusAttachmentsRepository, type CorpusAttachment } from '../persistence/corpus-attachments.repository.js';
import { AutomaticIncidents } from './automatic-incidents.js';
import { DataPlaneRegions } from './data-plane-regions.js';

export interface AttachedCorpus {
  readonly attachment: CorpusAttachment;
  /** Undefined when nothing is known of the binding. */
  readonly posture: BindingPosture | undefined;
  readonly facts: AccessFacts;
}

/**
 * What is known of the attachment of a corpus now. Read anew each time, in two statements by key: nothing of it is
 * remembered, so that what was revoked, detached or deactivated ends with its commit, in every process, and whatever
 * message is lost. A remembered answer would need a statement as well, to see whether it still holds.
 */
@Injectable()
export class CorpusAccess {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly corpora: CorpusAttachmentsRepository,
    private readonly keys: KeyBindings,
    private readonly regions: DataPlaneRegions,
    private readonly entitlements: Entitlements,
    private readonly incidents: AutomaticIncidents,
  ) {}

  /** Undefined when the corpus is not attached to the vector database. Not inside a unit of work. */
  async find(vectorDbId: number, corpusId: string): Promise<AttachedCorpus | undefined> {
    const judge = await this.regions.judge();
    const plan = await this.entitlements.current();
    return this.uow.read(async () => {
      const attachment = await this.corpora.find(vectorDbId, corpusId, this.incidents.quietSince());
      if (attachment === undefined) return undefined;
      const { bindingId, region, policyRegion, policyId, classification, mode, active } = attachment;
      const posture = (await this.keys.postures([bindingId])).get(bindingId);
      const key = posture ?? NO_KEY;
      const tiers = [`classification:${classification}`, `plan:${plan.facts.planId}`];
      const facts = {
        policy: { id: policyId, mode, active },
        residency: judge(region, { region: policyRegion, mode }),
        key,
        // Nobody asks of a sound key whether it must be one.
        keyRequired: key.vetoed && (await this.keys.required(tiers)),
      };
      return { attachment, posture, facts };
    });
  }
}

const NO_KEY: AccessFacts['key'] = {
  keyId: '',
  state: 'missing',
  bindingRevoked: true,
  notes: ['missing'],
  vetoed: true,
  workloadStatus: 'pending-key-registration',
};
