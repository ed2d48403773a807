/** Port: whether a corpus may keep its data in a vector database. Implemented above, bound in app/. */
export abstract class CorpusPlacement {
  /**
   * Not inside a unit of work.
   *
   * @throws VECTOR_DB_NOT_FOUND; residency.vector_db_mismatch when the data would be where it must not be.
   */
  abstract require(corpusId: string, vectorDbId: number): Promise<void>;
  /**
   * In the transaction of a change after which the corpus does not name the vector database any more.
   *
   * @throws CORPUS_ATTACHED while it is attached to it.
   */
  abstract requireDetached(corpusId: string, vectorDbId: number): Promise<void>;
  /** In the transaction of its deletion, after it. */
  abstract corpusDeleted(corpusId: string): Promise<void>;
}
