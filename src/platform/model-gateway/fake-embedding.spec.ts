import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { fakeEmbedding, FakeEmbeddingModel } from './fake-embedding.js';

const norm = (vector: readonly number[]): number => Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0));

describe('fakeEmbedding', () => {
  // Vectors already stored would stop matching their own text. The expected values come from a Python implementation.
  it('is bit-compatible', () => {
    const vector = fakeEmbedding('What are the release gates for Agent 2.0? The gates_v2 are: Tests, naïve Reviews.');
    const components = [...vector.entries()].filter(([, value]) => value !== 0);
    expect(components).toEqual([
      [115, 0.2686146860649848],
      [169, -0.16373423279803845],
      [188, -0.051811446937628146],
      [274, 0.14939805573277243],
      [314, 0.23315151121932665],
      [317, -0.4109704092042931],
      [346, 0.2155456797356666],
      [448, 0.24044535569112865],
      [463, 0.2927598263854328],
      [492, 0.1820945999167125],
      [593, 0.15568585269122243],
      [614, 0.2077488115071886],
      [637, -0.5754591776373456],
      [701, 0.1763098267149385],
    ]);
    const millionths = JSON.stringify(vector.map((value) => Math.round(value * 1e6)));
    expect(createHash('sha256').update(millionths).digest('hex')).toBe(
      '14cf72316c994a2ef933e8695807b6cf9e0c6d8eddbcade0f157045662695ba7',
    );
  });

  it('has 768 numbers and length 1, or length 0 without a token', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        const vector = fakeEmbedding(text);
        expect(vector).toHaveLength(768);
        expect(Math.abs(norm(vector) - (/[a-z0-9_]/.test(text.toLowerCase()) ? 1 : 0))).toBeLessThan(1e-6);
      }),
    );
  });

  it('ignores order and case, and tells words apart', () => {
    expect(fakeEmbedding('a b')).toEqual(fakeEmbedding('B, A!'));
    expect(fakeEmbedding('alpha')).not.toEqual(fakeEmbedding('beta'));
  });

  it('is the zero vector for text without ASCII words', () => {
    expect(fakeEmbedding('你好 — Привет')).toEqual(new Array(768).fill(0));
  });
});

describe('FakeEmbeddingModel', () => {
  it('embeds in order, and stops for an aborted caller', async () => {
    const model = new FakeEmbeddingModel();
    await expect(model.embed(['a', 'b'], 'query')).resolves.toEqual([fakeEmbedding('a'), fakeEmbedding('b')]);
    await expect(model.embed(['a'], 'query', AbortSignal.abort(new Error('gone')))).rejects.toThrow('gone');
  });
});
