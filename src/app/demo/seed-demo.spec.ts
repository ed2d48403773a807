import { beforeEach, describe, expect, it } from '@jest/globals';
import { commonErrors } from '../../kernel/common-errors.js';
import { currentContext } from '../../kernel/context.js';
import type { DemoDocument } from './demo-documents.js';
import { seedDemo, type DemoTarget } from './seed-demo.js';

/** An application that remembers documents, with one chunk a paragraph. */
class FakeTarget implements DemoTarget {
  readonly tenants = new Set<string>();
  readonly plans: (readonly [tenantId: string | undefined, planId: string])[] = [];
  readonly corpora = new Set<string>();
  readonly documents = new Map<string, DemoDocument>();
  readonly shared: string[] = [];
  readonly contexts = new Set<string | undefined>();
  failOn: string | undefined;

  async ensureTenant(id: string): Promise<void> {
    this.tenants.add(id);
  }
  async startOnPlan(planId: string): Promise<void> {
    this.plans.push([currentContext().tenantId, planId]);
  }
  async corpus(id: string): Promise<unknown> {
    if (!this.corpora.has(id)) throw commonErrors.NOT_FOUND();
    return {};
  }
  async createCorpus({ id }: { id: string }): Promise<void> {
    if (this.corpora.has(id)) throw commonErrors.CONFLICT();
    this.corpora.add(id);
  }
  async countChunks(): Promise<number> {
    this.contexts.add(currentContext().tenantId);
    return [...this.documents.values()].reduce((sum, { paragraphs }) => sum + paragraphs.length, 0);
  }
  async ingest(_corpusId: string, document: DemoDocument): Promise<void> {
    if (document.id === this.failOn) throw commonErrors.SERVICE_UNAVAILABLE();
    this.documents.set(document.id, document);
  }
  async share(documentId: string): Promise<void> {
    this.shared.push(documentId);
  }
  requestId(): string {
    return 'seed';
  }
}

describe('seedDemo', () => {
  let target: FakeTarget;
  beforeEach(() => {
    target = new FakeTarget();
  });

  it('fills an empty installation with ten chunks of three documents', async () => {
    expect(await seedDemo(target)).toEqual({
      tenantId: 't1',
      corpusId: 'c1',
      seeded: true,
      documents: 3,
      chunks: 10,
    });
    expect(target.plans).toEqual([['t1', 'enterprise']]);
    expect([...target.tenants, ...target.corpora, ...target.contexts]).toEqual(['t1', 'c1', 't1']);
    expect(target.shared).toEqual(['demo-1', 'demo-2', 'demo-3']);
  });

  // Also what an installation of before grants needs, where the demo would find nothing any more.
  it('only shares the documents again when the corpus has chunks', async () => {
    await seedDemo(target);
    target.failOn = 'demo-1';
    target.shared.length = 0;
    expect(await seedDemo(target)).toMatchObject({ seeded: false, chunks: 10 });
    expect(target.shared).toEqual(['demo-1', 'demo-2', 'demo-3']);
  });

  it('uses a corpus that exists but is empty', async () => {
    target.corpora.add('c1');
    expect(await seedDemo(target)).toMatchObject({ seeded: true, chunks: 10 });
  });

  it('passes on why a document could not be added', async () => {
    target.failOn = 'demo-1';
    await expect(seedDemo(target)).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' });
  });
});
