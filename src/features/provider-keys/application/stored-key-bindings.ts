import { Injectable } from '@nestjs/common';
import { Clock } from '../../../kernel/time.js';
import type { AttachableBinding, BindingPosture } from '../domain/binding.js';
import { BindingsRepository } from '../persistence/bindings.repository.js';
import { KeyEventsRepository } from '../persistence/key-events.repository.js';
import { ProviderKeysRepository } from '../persistence/provider-keys.repository.js';
import { ProviderTiersRepository } from '../persistence/provider-tiers.repository.js';
import { KeyBindings } from './key-bindings.js';
import { KeyLedger } from './key-ledger.js';
import { KeyPostures } from './key-postures.js';

const MINUTE_MS = 60_000;

@Injectable()
export class StoredKeyBindings extends KeyBindings {
  constructor(
    private readonly bindings: BindingsRepository,
    private readonly keys: ProviderKeysRepository,
    private readonly tiers: ProviderTiersRepository,
    private readonly keyPostures: KeyPostures,
    private readonly events: KeyEventsRepository,
    private readonly ledger: KeyLedger,
    private readonly clock: Clock,
  ) {
    super();
  }

  async lock(bindingId: string): Promise<AttachableBinding | undefined> {
    return this.bindings.lock(bindingId);
  }

  async postures(bindingIds: readonly string[]): Promise<ReadonlyMap<string, BindingPosture>> {
    const keys = await this.bindings.keysOf(bindingIds);
    return new Map(
      keys.map((key) => {
        const { bindingId, bindingRevoked, providerId, state, rotationDueAt } = key;
        const own = this.keyPostures.of(key);
        const posture = bindingRevoked && !own.vetoed ? this.keyPostures.of(undefined) : own;
        return [bindingId, { bindingId, keyId: key.id, providerId, state, rotationDueAt, bindingRevoked, ...posture }];
      }),
    );
  }

  async required(tiers: readonly string[]): Promise<boolean> {
    return this.tiers.required(tiers);
  }

  async recordVeto({ bindingId, keyId, providerId, notes }: BindingPosture, workload: string): Promise<void> {
    const now = this.clock.now();
    const bucket = `${workload} ${Math.floor(now.getTime() / MINUTE_MS)}`;
    if (await this.events.hasBucket(keyId, 'runtime_veto', bucket)) return;
    const key = await this.keys.lock(providerId, keyId);
    if (key === undefined) return;
    await this.ledger.appendOnce(
      {
        type: 'runtime_veto',
        providerId,
        keyId,
        version: key.version,
        outcome: 'failure',
        payload: { binding_id: bindingId, workload, state: key.state, notes, recorded_at: now },
        audit: { binding_id: bindingId, notes },
      },
      bucket,
    );
  }
}
