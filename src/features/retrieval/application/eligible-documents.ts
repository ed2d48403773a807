import { Injectable } from '@nestjs/common';
import { UnitOfWork } from '../../../platform/db/index.js';
import type { DocumentRules } from '../../rbac-abac/index.js';
import type { MetadataFilter } from '../domain/metadata-filter.js';
import { EligibleDocumentsRepository } from '../persistence/eligible-documents.repository.js';
import { isExact, type Candidate, type Eligibility, type Reader } from '../persistence/eligibility.js';

/** How fast the number of candidates grows while too few of them are eligible, and where it stays. */
const GROWTH = 4;
const MOST_CANDIDATES = 10_000;

interface Scope {
  readonly corpusId: string;
  readonly reader: Reader;
  readonly filter?: MetadataFilter | undefined;
}

/** Which documents a search may find, and only hits of those. */
@Injectable()
export class EligibleDocuments {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly repository: EligibleDocumentsRepository,
  ) {}

  /** @param passages of the corpus. */
  async of({ corpusId, reader, filter }: Scope, passages: number): Promise<Eligibility> {
    const exact = isExact(reader);
    const every = { reader, filter, documents: undefined, passages, exact, refused: new Set<string>() };
    // Admins who need no grants may hold few, and read everything.
    if (reader === 'system' || reader.switches.bypassesGrants) return every;
    return this.uow.read(async () => {
      const gathered = await this.repository.gather(corpusId, reader, filter);
      if (gathered === undefined) return every;
      const documents = exact ? gathered.documents : [...(await this.#allowed(reader, gathered.documents))];
      return { ...every, documents, passages: gathered.passages };
    });
  }

  /**
   * The best `limit` hits of eligible documents. Where the database's condition lets others through, more and more
   * candidates are looked at until there are enough or no more. In a unit of work.
   *
   * @param candidates the best so many that pass the condition of this eligibility.
   */
  async best(
    eligibility: Eligibility,
    limit: number,
    candidates: (limit: number) => Promise<readonly Candidate[]>,
  ): Promise<readonly Candidate[]> {
    if (eligibility.exact || eligibility.documents !== undefined) return candidates(limit);
    for (let asked = limit; ; asked = Math.max(limit, Math.min(asked * GROWTH, MOST_CANDIDATES))) {
      const found = await candidates(asked);
      const kept = await this.only(eligibility, found);
      // Too few of a full batch: it had a document that was not refused before, and is left out of the next.
      if (kept.length >= limit || found.length < asked) return kept.slice(0, limit);
    }
  }

  /** Those that the rules let the reader have. Others are remembered as refused. In a unit of work. */
  async only<T extends { readonly documentId: string }>(
    { reader, exact, refused }: Eligibility,
    found: readonly T[],
  ): Promise<readonly T[]> {
    if (reader === 'system' || exact) return found;
    const documents = new Set(found.map(({ documentId }) => documentId));
    const allowed = await this.#allowed(reader, [...documents]);
    for (const id of documents) if (!allowed.has(id)) refused.add(id);
    return found.filter(({ documentId }) => allowed.has(documentId));
  }

  async #allowed(rules: DocumentRules, ids: readonly string[]): Promise<Set<string>> {
    if (ids.length === 0) return new Set();
    const facts = await this.repository.facts(rules, ids);
    return new Set(facts.filter((document) => rules.decide('read', document).allowed).map(({ id }) => id));
  }
}
