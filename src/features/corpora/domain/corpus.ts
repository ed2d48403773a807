/** A named collection of documents with the way to retrieve from it; the unit that a run asks. */
export interface Corpus {
  readonly tenantId: string;
  readonly id: string;
  readonly name: string;
  /** As stored: `{retrieval: {provider, top_k_default, …}, …}`. Valid when written by us; readers check again. */
  readonly providerConfig: unknown;
  /** Counts changes; the ETag. */
  readonly version: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}
