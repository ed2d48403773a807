import { Injectable } from '@nestjs/common';
import { AuditTrail } from '../../../kernel/audit.js';
import { commonErrors } from '../../../kernel/common-errors.js';
import type { Page } from '../../../kernel/cursor.js';
import { Ids } from '../../../kernel/ids.js';
import { UnitOfWork } from '../../../platform/db/index.js';
import type { Corpus } from '../domain/corpus.js';
import { normaliseProviderConfig, vectorDbIdOf, type ProviderConfig } from '../domain/provider-config.js';
import { CorporaRepository } from '../persistence/corpora.repository.js';
import { CorpusContents } from './corpus-contents.js';
import { CorpusPlacement } from './corpus-placement.js';
import { CorpusRules } from './corpus-rules.js';

export interface CorpusChanges {
  readonly name?: string;
  readonly providerConfig?: unknown;
}

@Injectable()
export class Corpora {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly corpora: CorporaRepository,
    private readonly contents: CorpusContents,
    private readonly rules: CorpusRules,
    private readonly placement: CorpusPlacement,
    private readonly audit: AuditTrail,
    private readonly ids: Ids,
  ) {}

  async list(limit: number, cursor?: string): Promise<Page<Corpus>> {
    return this.uow.read(() => this.corpora.list(limit, cursor));
  }

  /** @throws NOT_FOUND, also for another tenant's corpus. */
  async get(id: string): Promise<Corpus> {
    return this.uow.read(() => this.require(id));
  }

  /**
   * @throws CONFLICT when the id or name is taken; VALIDATION_ERROR for a provider config that is not one;
   * FEATURE_NOT_ENABLED for a provider that the tenant's plan does not include; residency.provider_mismatch for one
   * outside the region that the tenant is pinned to; what `CorpusPlacement` throws.
   */
  async create(request: { id?: string; name: string; providerConfig?: unknown }): Promise<Corpus> {
    const { config, stored: providerConfig } = checkedConfig(request.providerConfig ?? {});
    const { vectorDbId } = config;
    (await this.rules.current()).admitConfig(config);
    const id = request.id ?? this.ids.uuid();
    if (vectorDbId !== undefined) await this.placement.require(id, vectorDbId);
    return this.uow.run(async () => {
      await this.corpora.insert({ id, name: request.name, providerConfig });
      await this.audit.record({
        event: 'corpora.created',
        outcome: 'success',
        resourceType: 'corpus',
        resourceId: id,
        metadata: { provider: config.provider },
      });
      return this.require(id);
    });
  }

  /**
   * Changes what is given and leaves the rest.
   *
   * @param ifVersion the version that the caller has seen; any when undefined.
   * @throws NOT_FOUND, CONFLICT (name), VALIDATION_ERROR (config), PRECONDITION_FAILED (another version),
   * FEATURE_NOT_ENABLED (config that the tenant's plan does not let it set), residency.provider_mismatch, what
   * `CorpusPlacement` throws, also for leaving a vector database.
   */
  async update(id: string, changes: CorpusChanges, ifVersion?: number): Promise<Corpus> {
    const given = changes.providerConfig === undefined ? undefined : checkedConfig(changes.providerConfig);
    const rules = await this.rules.current();
    const permit = (config: ProviderConfig): void => {
      rules.plan.require('feature.corpora_patch_provider_config');
      rules.admitConfig(config);
    };
    const stored = {
      ...(changes.name === undefined ? {} : { name: changes.name }),
      ...(given === undefined ? {} : { providerConfig: given.stored }),
    };
    if (given?.config.vectorDbId !== undefined) {
      await this.get(id);
      permit(given.config);
      await this.placement.require(id, given.config.vectorDbId);
    }
    return this.uow.run(async () => {
      const { version, providerConfig } = await this.require(id);
      if (ifVersion !== undefined && ifVersion !== version) throw commonErrors.PRECONDITION_FAILED();
      if (given !== undefined) permit(given.config);
      const moved = given === undefined ? {} : await this.#moved(id, vectorDbIdOf(providerConfig), given.config);
      const updatedFields = [
        ...(stored.name === undefined ? [] : ['name']),
        ...(stored.providerConfig === undefined ? [] : ['provider_config_json']),
      ];
      if (updatedFields.length > 0 && !(await this.corpora.update(id, version, stored))) {
        throw ifVersion === undefined ? commonErrors.CONFLICT() : commonErrors.PRECONDITION_FAILED();
      }
      await this.audit.record({
        event: 'corpora.updated',
        outcome: 'success',
        resourceType: 'corpus',
        resourceId: id,
        metadata: { updated_fields: updatedFields, ...moved },
      });
      return this.require(id);
    });
  }

  /** What the audit trail is told when a corpus names another vector database than before. */
  async #moved(id: string, from: number | undefined, { vectorDbId: to }: ProviderConfig): Promise<object> {
    if (from === to) return {};
    if (from !== undefined) await this.placement.requireDetached(id, from);
    return { vector_db_id: { from: from ?? null, to: to ?? null } };
  }

  /** @throws NOT_FOUND; CONFLICT while documents remain, unless `cascade`. */
  async delete(id: string, cascade: boolean): Promise<void> {
    await this.uow.run(async () => {
      await this.require(id);
      if (cascade) await this.contents.removeAll(id);
      await this.corpora.delete(id);
      await this.placement.corpusDeleted(id);
      await this.audit.record({
        event: 'corpora.deleted',
        outcome: 'success',
        resourceType: 'corpus',
        resourceId: id,
        metadata: { cascade },
      });
    });
  }

  /** Whether there is such a corpus, which is not deleted then until the transaction that is open ends. */
  async hold(id: string): Promise<boolean> {
    return this.corpora.hold(id);
  }

  /** The corpus, in the unit of work that is open. @throws NOT_FOUND */
  async require(id: string): Promise<Corpus> {
    const corpus = await this.corpora.find(id);
    if (corpus === undefined) throw commonErrors.NOT_FOUND({ message: 'No such corpus.' });
    return corpus;
  }
}

function checkedConfig(input: unknown): { config: ProviderConfig; stored: Record<string, unknown> } {
  const result = normaliseProviderConfig(input);
  if (!result.ok) throw commonErrors.VALIDATION_ERROR({ message: result.reason });
  return result;
}
