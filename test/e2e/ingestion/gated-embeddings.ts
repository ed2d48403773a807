import { abortable } from '../../../src/kernel/abort.js';
import { EmbeddingModel, type EmbeddingKind, type EmbeddingVector } from '../../../src/platform/model-gateway/index.js';
import { FakeEmbeddingModel } from '../../../src/platform/model-gateway/fake-embedding.js';

/** The fake model, except that a test may hold it or make it fail while it embeds documents. Questions always pass. */
export class GatedEmbeddings extends EmbeddingModel {
  readonly id = 'fake-v1';
  /** Texts of each call for documents. */
  readonly calls: (readonly string[])[] = [];
  /** Calls for documents that have not returned. */
  running = 0;
  /** The most of them at once. */
  peak = 0;
  readonly #fake = new FakeEmbeddingModel();
  #gate: Promise<void> = Promise.resolve();
  #open = (): void => undefined;
  #failures: { readonly containing: string; left: number }[] = [];

  /** Holds documents from now on. @returns what lets them go. */
  hold(): () => void {
    this.#gate = new Promise((resolve) => (this.#open = resolve));
    return this.#open;
  }

  /** Lets go what a test that failed still holds, so that the next one is not held up. */
  reset(): void {
    this.#open();
    this.#failures = [];
  }

  /** Fails the next `times` calls with a text that contains this one. */
  fail(containing: string, times: number): void {
    this.#failures.push({ containing, left: times });
  }

  async embed(
    texts: readonly string[],
    kind: EmbeddingKind,
    signal = new AbortController().signal,
  ): Promise<readonly EmbeddingVector[]> {
    if (kind === 'query') return this.#fake.embed(texts, kind, signal);
    this.calls.push(texts);
    this.running += 1;
    this.peak = Math.max(this.peak, this.running);
    try {
      await abortable(this.#gate, signal);
      this.#maybeFail(texts);
      return await this.#fake.embed(texts, kind, signal);
    } finally {
      this.running -= 1;
    }
  }

  #maybeFail(texts: readonly string[]): void {
    for (const failure of this.#failures) {
      if (failure.left === 0 || !texts.some((text) => text.includes(failure.containing))) continue;
      failure.left -= 1;
      throw new Error(`The provider says: cannot embed ${texts.join()}`);
    }
  }
}
