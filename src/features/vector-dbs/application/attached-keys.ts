import { Injectable } from '@nestjs/common';
import type { KeyChanges, KeyRevoked } from '../../provider-keys/index.js';
import { AttachmentsRepository } from '../persistence/attachments.repository.js';
import { AutomaticIncidents } from './automatic-incidents.js';

/** What follows for attachments from what happens to their keys. */
@Injectable()
export class AttachedKeys implements KeyChanges {
  constructor(
    private readonly attachments: AttachmentsRepository,
    private readonly incidents: AutomaticIncidents,
  ) {}

  /** An incident for every workload that was attached with the key. */
  async revoked({ compromised, bindingIds }: KeyRevoked): Promise<void> {
    if (bindingIds.length === 0) return;
    const severity = compromised ? 'critical' : 'high';
    for (const attachment of await this.attachments.activeOf(bindingIds)) {
      await this.incidents.open(attachment, { type: 'key_revoked', severity });
    }
  }

  /** Nothing of a key is remembered here: the gate reads it anew for each request. */
  changed(): void {}
}
