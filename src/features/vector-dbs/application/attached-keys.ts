import { Injectable } from '@nestjs/common';
import type { KeyChanges, KeyRevoked } from '../../provider-keys/index.js';
import { AttachmentsRepository } from '../persistence/attachments.repository.js';
import { AutomaticIncidents } from './automatic-incidents.js';
import { ServedLately } from './served-lately.js';

/** What follows for attachments from what happens to their keys. */
@Injectable()
export class AttachedKeys implements KeyChanges {
  constructor(
    private readonly attachments: AttachmentsRepository,
    private readonly incidents: AutomaticIncidents,
    private readonly lately: ServedLately,
  ) {}

  /** An incident for every workload that was attached with the key. */
  async revoked({ compromised, bindingIds }: KeyRevoked): Promise<void> {
    if (bindingIds.length === 0) return;
    const severity = compromised ? 'critical' : 'high';
    const attachments = await this.attachments.activeOf(bindingIds);
    await this.incidents.open(attachments.map((attachment) => ({ type: 'key_revoked', severity, attachment })));
  }

  /** Nothing of a key is remembered, but what was served with it. */
  changed(tenantId: string): void {
    this.lately.end(tenantId);
  }
}
