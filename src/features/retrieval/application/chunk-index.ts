import { Injectable } from '@nestjs/common';
import { sha256Hex } from '../../../kernel/hash.js';
import { Ids } from '../../../kernel/ids.js';
import { UnitOfWork } from '../../../platform/db/index.js';
import { EmbeddingModels } from '../../../platform/model-gateway/index.js';
import { analyzerFor, type Analyzer } from '../../../platform/text-analysis/index.js';
import { DEFAULT_SEARCH_PLAN, normaliseProviderConfig, type Corpus } from '../../corpora/index.js';
import type { IndexedChunk, IndexedDocument, NewChunk } from '../domain/indexed-chunk.js';
import { countTerms } from '../domain/lexemes.js';
import { ChunksRepository } from '../persistence/chunks.repository.js';
import { CorpusIndexesRepository, type CorpusIndex } from '../persistence/corpus-indexes.repository.js';
import { GenerationsRepository } from '../persistence/generations.repository.js';

/** Passages per call to the embedding model and per transaction; between them an abort is noticed. */
const BATCH = 64;
/** Passages deleted in one transaction. */
const SWEEP = 500;
/** The models of a corpus change rarely; twice during one batch, never in practice. */
const MAX_TRIES = 5;

/**
 * What is searched. A document is written as a hidden generation, in short transactions, shown in one, and what it
 * replaces is deleted afterwards. Searches find the old generation until the new one is shown, and never both.
 */
@Injectable()
export class ChunkIndex {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly chunks: ChunksRepository,
    private readonly generations: GenerationsRepository,
    private readonly indexes: CorpusIndexesRepository,
    private readonly models: EmbeddingModels,
    private readonly ids: Ids,
  ) {}

  /** In the transaction that starts an ingestion. */
  async open(document: IndexedDocument): Promise<void> {
    await this.indexes.open(document.corpusId, this.models.current.id);
    await this.generations.hide(document);
  }

  /**
   * Adds passages to a generation that was opened. Those that it has already, from an attempt that was interrupted, are
   * left alone; those whose content the document has a vector for are not embedded again.
   *
   * @param guard runs within each transaction; when it throws, nothing of that one is stored.
   * @throws what the guard or the embedding model throws; the signal's reason.
   */
  async append(
    corpus: Corpus,
    document: IndexedDocument,
    chunks: readonly NewChunk[],
    { guard, signal }: { readonly guard: () => Promise<void>; readonly signal: AbortSignal },
  ): Promise<void> {
    const analyzer = await analyzerFor(languageOf(corpus));
    const there = await this.uow.read(() => this.chunks.positions(document));
    const missing = chunks.filter(({ index }) => !there.has(index));
    for (let from = 0; from < missing.length; from += BATCH) {
      signal.throwIfAborted();
      const batch = missing.slice(from, from + BATCH).map((chunk) => this.#indexed(analyzer, chunk));
      await this.#store(document, batch, guard, signal);
    }
  }

  /** In the transaction that ends an ingestion. */
  async show(document: IndexedDocument): Promise<void> {
    await this.generations.show(document);
  }

  /** In the transaction that deletes the documents. */
  async remove(documentIds: readonly string[]): Promise<void> {
    await this.generations.discount(documentIds);
    await this.chunks.deleteOf(documentIds);
  }

  /** Deletes what searches do not find any more, in short transactions. */
  async sweep(documentId: string): Promise<void> {
    const obsolete = await this.uow.read(() => this.generations.obsolete(documentId));
    for (const generation of obsolete) await this.erase(documentId, generation);
  }

  /** Deletes a generation, in short transactions, unless it can be found or is being written. */
  async erase(documentId: string, generation: number): Promise<void> {
    while ((await this.uow.run(() => this.chunks.deleteSome(documentId, generation, SWEEP))) === SWEEP);
    await this.uow.run(() => this.generations.forget(documentId, generation));
  }

  #indexed(analyzer: Analyzer, chunk: NewChunk): IndexedChunk {
    return {
      ...chunk,
      id: this.ids.uuid(),
      contentSha256: sha256Hex(chunk.searchText),
      terms: countTerms(analyzer.terms(chunk.searchText)),
    };
  }

  async #store(
    document: IndexedDocument,
    batch: readonly IndexedChunk[],
    guard: () => Promise<void>,
    signal: AbortSignal,
  ): Promise<void> {
    for (let tries = 0; tries < MAX_TRIES; tries += 1) {
      const index = await this.uow.read(() => this.indexes.find(document.corpusId));
      if (index === undefined) throw new Error('The generation was not opened.');
      const vectors = await this.#embed(document, batch, modelsOf(index), signal);
      const stored = await this.uow.run(async () => {
        await guard();
        const held = await this.indexes.hold(document.corpusId);
        if (held === undefined || modelsOf(held).join('\n') !== modelsOf(index).join('\n')) return false;
        await this.#write(document, batch, vectors);
        return true;
      });
      if (stored) return;
    }
    throw new Error('The embedding models of the corpus keep changing.');
  }

  async #write(document: IndexedDocument, batch: readonly IndexedChunk[], vectors: Vectors): Promise<void> {
    const inserted = await this.chunks.insert(document, batch);
    const chunks = batch.filter(({ id }) => inserted.has(id));
    for (const [model, byContent] of vectors) {
      const embedded = new Map<string, readonly number[]>();
      for (const { id, contentSha256 } of chunks) {
        const vector = byContent.get(contentSha256);
        if (vector !== undefined) embedded.set(id, vector);
      }
      await this.chunks.insertEmbeddings(model, embedded);
      const copied = chunks.filter(({ id }) => !embedded.has(id));
      if (copied.length === 0) continue;
      if ((await this.chunks.copyEmbeddings(document.documentId, model, copied)) !== copied.length) {
        throw new Error('A vector that was to be used again has gone.');
      }
    }
    await this.chunks.countTerms(document.corpusId, chunks);
  }

  /** By model and content, the vectors that the document does not have yet. */
  async #embed(
    { documentId }: IndexedDocument,
    batch: readonly IndexedChunk[],
    models: readonly string[],
    signal: AbortSignal,
  ): Promise<Vectors> {
    const byModel = new Map<string, ReadonlyMap<string, readonly number[]>>();
    const texts = new Map(batch.map(({ contentSha256, searchText }) => [contentSha256, searchText]));
    for (const model of models) {
      const known = await this.uow.read(() => this.chunks.embedded(documentId, model, [...texts.keys()]));
      const unknown = [...texts].filter(([content]) => !known.has(content));
      const vectors =
        unknown.length === 0
          ? []
          : await this.models.of(model).embed(
              unknown.map(([, text]) => text),
              'document',
              signal,
            );
      byModel.set(model, new Map(unknown.map(([content], position) => [content, vectors[position] ?? []])));
    }
    return byModel;
  }
}

type Vectors = ReadonlyMap<string, ReadonlyMap<string, readonly number[]>>;

function modelsOf({ embeddingModel, nextEmbeddingModel }: CorpusIndex): string[] {
  return [...new Set([embeddingModel, nextEmbeddingModel ?? embeddingModel])];
}

/** A corpus with a config that cannot be read can still take documents in; searching it says what is wrong. */
function languageOf({ providerConfig }: Corpus): (typeof DEFAULT_SEARCH_PLAN)['language'] {
  const result = normaliseProviderConfig(providerConfig);
  return result.ok && result.config.provider === 'local_pgvector'
    ? result.config.search.language
    : DEFAULT_SEARCH_PLAN.language;
}
