import { Injectable } from '@nestjs/common';
import { UnitOfWork } from '../../../platform/db/index.js';
import type { CorpusPlacement } from '../../corpora/index.js';
import { CorpusAttachmentsRepository } from '../persistence/corpus-attachments.repository.js';
import { vectorDbsErrors } from '../vector-dbs.errors.js';
import { Attachments } from './attachments.js';
import { AutomaticIncidents } from './automatic-incidents.js';
import { DataPlaneRegions } from './data-plane-regions.js';
import { VectorDbs } from './vector-dbs.js';

/** Whether a corpus may name a vector database, or leave it. */
@Injectable()
export class VectorDbPlacement implements CorpusPlacement {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly dbs: VectorDbs,
    private readonly corpora: CorpusAttachmentsRepository,
    private readonly regions: DataPlaneRegions,
    private readonly incidents: AutomaticIncidents,
    private readonly attachments: Attachments,
  ) {}

  /** A corpus that is not attached yet only has to fit the pin of its tenant. */
  async require(corpusId: string, vectorDbId: number): Promise<void> {
    const judge = await this.regions.judge();
    const allowed = await this.uow.run(async () => {
      const { region } = await this.dbs.require(vectorDbId);
      const attached = await this.corpora.find(vectorDbId, corpusId, this.incidents.quietSince());
      if (attached === undefined) return judge(region).allowed;
      const verdict = judge(region, { region: attached.policyRegion, mode: attached.mode });
      if (verdict.allowed && verdict.incident !== undefined) {
        await this.incidents.open([{ ...verdict.incident, attachment: attached }]);
      }
      return verdict.allowed;
    });
    if (!allowed) throw vectorDbsErrors['residency.vector_db_mismatch']();
  }

  async requireDetached(corpusId: string, vectorDbId: number): Promise<void> {
    const attached = await this.corpora.find(vectorDbId, corpusId, this.incidents.quietSince());
    if (attached !== undefined) throw vectorDbsErrors.CORPUS_ATTACHED();
  }

  async corpusDeleted(corpusId: string): Promise<void> {
    await this.attachments.detachCorpus(corpusId);
  }
}
