import { Injectable } from '@nestjs/common';
import { AuditTrail } from '../../../kernel/audit.js';
import { currentContext, runInContext, systemContext } from '../../../kernel/context.js';
import { Log } from '../../../kernel/log.js';
import { UnitOfWork } from '../../../platform/db/index.js';
import { KeyBindings } from '../../provider-keys/index.js';
import type { AccessVerdict } from '../domain/access-verdict.js';
import { isRaised } from '../domain/incident.js';
import { AutomaticIncidents } from './automatic-incidents.js';
import type { AttachedCorpus } from './corpus-access.js';

/** What the gate leaves behind. What cannot be written changes no verdict. */
@Injectable()
export class AccessRecords {
  constructor(
    private readonly keys: KeyBindings,
    private readonly incidents: AutomaticIncidents,
    private readonly uow: UnitOfWork,
    private readonly audit: AuditTrail,
    private readonly log: Log,
  ) {}

  /** Incidents, but for those that counted within the last minute and are no worse now; vetoes in the key's ledger. */
  async write(corpusId: string, found: AttachedCorpus, { incidents, refusal }: AccessVerdict): Promise<void> {
    const { attachment, posture } = found;
    const due = incidents.filter(({ type, severity }) => isRaised(attachment.quiet[type], severity));
    const vetoed = refusal === 'BYOK_POSTURE_VETO' ? posture : undefined;
    if (due.length === 0 && vetoed === undefined) return;
    const { requestId, tenantId } = currentContext();
    const write = async (): Promise<void> => {
      if (vetoed !== undefined) await this.keys.recordVeto(vetoed, corpusId);
      await this.incidents.open(due.map((incident) => ({ ...incident, attachment })));
    };
    try {
      // The platform's, and no part of the change that the request asks for.
      await runInContext(systemContext(requestId, tenantId), () => this.uow.run(write));
    } catch (error) {
      this.log.error({ err: error, attachment_id: attachment.id }, 'incidents of an attachment were not written');
    }
  }

  refused(corpusId: string, errorCode: string, metadata: Readonly<Record<string, unknown>>): void {
    this.audit.note({
      event: 'vector_db.access.vetoed',
      outcome: 'failure',
      resourceType: 'corpus',
      resourceId: corpusId,
      errorCode,
      metadata: { corpus_id: corpusId, ...metadata },
    });
  }
}
