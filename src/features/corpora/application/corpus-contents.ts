/** Port: what lives inside a corpus. Implemented by the feature that owns documents, bound in app/. */
export abstract class CorpusContents {
  /** Deletes every document of the corpus, in the current transaction. */
  abstract removeAll(corpusId: string): Promise<void>;
}
