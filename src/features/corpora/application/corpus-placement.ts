/** Port: whether a corpus may keep its data in a vector database. Implemented above, bound in app/. */
export abstract class CorpusPlacement {
  /**
   * Not inside a unit of work.
   *
   * @throws VECTOR_DB_NOT_FOUND; residency.vector_db_mismatch when the data would be where it must not be.
   */
  abstract require(corpusId: string, vectorDbId: number): Promise<void>;
}
