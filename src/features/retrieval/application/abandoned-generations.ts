import { Injectable } from '@nestjs/common';
import { runInContext, systemContext } from '../../../kernel/context.js';
import { Ids } from '../../../kernel/ids.js';
import { UnitOfWork } from '../../../platform/db/index.js';
import { GenerationsRepository } from '../persistence/generations.repository.js';
import { ChunkIndex } from './chunk-index.js';

const BATCH = 100;
const TERMS = 5000;

/** Deletes generations that an ingestion left behind when it failed or its process died, and words that are gone. */
@Injectable()
export class AbandonedGenerations {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly generations: GenerationsRepository,
    private readonly index: ChunkIndex,
    private readonly ids: Ids,
  ) {}

  /** Harmless to run at any time and in several processes at once. */
  async sweep(): Promise<void> {
    while ((await this.#forgetTerms()) === TERMS);
    const found = await this.uow.acrossTenants('generations', () => this.generations.abandoned(BATCH));
    for (const { tenantId, documentId, generation } of found) {
      await runInContext(systemContext(this.ids.uuid(), tenantId), () => this.index.erase(documentId, generation));
    }
  }

  async #forgetTerms(): Promise<number> {
    return this.uow.acrossTenants('generations', () => this.generations.forgetTerms(TERMS));
  }
}
