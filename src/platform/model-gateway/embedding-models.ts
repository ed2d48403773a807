import type { Ids } from '../../kernel/ids.js';
import type { Clock } from '../../kernel/time.js';
import { createEmbeddingModel } from './create-models.js';
import type { EmbeddingModel } from './embedding-model.js';
import { FakeEmbeddingModel } from './fake-embedding.js';
import { modelErrors } from './model-gateway.errors.js';
import type { ModelSettings } from './model-gateway.settings.js';

/**
 * The embedding models of an installation: the one that the settings choose, and those that corpora were embedded
 * with before, as long as their providers can still be called.
 */
export class EmbeddingModels {
  readonly #models = new Map<string, EmbeddingModel>();

  constructor(
    /** The model for new corpora. */
    readonly current: EmbeddingModel,
    private readonly settings: ModelSettings,
    private readonly clock: Clock,
    private readonly ids: Ids,
  ) {
    this.#models.set(current.id, current);
  }

  /** The model with this id. @throws EMBEDDING_CONFIG_MISSING when this version does not know how to call it. */
  of(id: string): EmbeddingModel {
    const model = this.#models.get(id) ?? this.#make(id);
    this.#models.set(id, model);
    return model;
  }

  #make(id: string): EmbeddingModel {
    if (id === new FakeEmbeddingModel().id) return new FakeEmbeddingModel();
    const [, provider, name = ''] = /^(openai|vertex)\/(.+)$/.exec(id) ?? [];
    if (provider === 'openai') return this.#create({ embeddingProvider: 'openai', openaiEmbeddingModel: name });
    if (provider === 'vertex') return this.#create({ embeddingProvider: 'vertex', vertexEmbeddingModel: name });
    throw modelErrors.EMBEDDING_CONFIG_MISSING({
      message: `The corpus was embedded with ${id}, which this installation does not know.`,
    });
  }

  #create(changes: Partial<ModelSettings>): EmbeddingModel {
    // Inherits: a copy would leave the secrets behind, which are not enumerable. Settings are frozen, so what differs
    // is defined rather than assigned.
    const settings = Object.create(this.settings, Object.getOwnPropertyDescriptors(changes)) as ModelSettings;
    return createEmbeddingModel(settings, this.clock, this.ids);
  }
}
