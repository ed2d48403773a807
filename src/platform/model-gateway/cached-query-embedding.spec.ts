import { describe, expect, it } from '@jest/globals';
import { CachedQueryEmbedding } from './cached-query-embedding.js';
import { EmbeddingModel } from './embedding-model.js';
import type { EmbeddingVector } from './embedding-model.js';

class CountingModel extends EmbeddingModel {
  readonly id = 'counting';
  readonly asked: string[] = [];
  failing = false;
  embed(texts: readonly string[]): Promise<readonly EmbeddingVector[]> {
    this.asked.push(...texts);
    return this.failing ? Promise.reject(new Error('down')) : Promise.resolve(texts.map((text) => [text.length]));
  }
}

describe('CachedQueryEmbedding', () => {
  it('asks only for what it does not know, and keeps the order', async () => {
    const model = new CountingModel();
    const cached = new CachedQueryEmbedding(model, 10);
    await cached.embed(['bb'], 'query');
    await expect(cached.embed(['a', 'bb', 'ccc'], 'query')).resolves.toEqual([[1], [2], [3]]);
    expect(model.asked).toEqual(['bb', 'a', 'ccc']);
  });

  it('forgets what was unused for longest', async () => {
    const model = new CountingModel();
    const cached = new CachedQueryEmbedding(model, 2);
    for (const text of ['a', 'b', 'a', 'c', 'a', 'b']) await cached.embed([text], 'query');
    expect(model.asked).toEqual(['a', 'b', 'c', 'b']);
  });

  it('remembers no failure and no document', async () => {
    const model = new CountingModel();
    const cached = new CachedQueryEmbedding(model, 2);
    model.failing = true;
    await expect(cached.embed(['a'], 'query')).rejects.toThrow('down');
    model.failing = false;
    await cached.embed(['a'], 'document');
    await cached.embed(['a'], 'query');
    expect(model.asked).toEqual(['a', 'a', 'a']);
  });
});
