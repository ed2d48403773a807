import { Injectable } from '@nestjs/common';
import { UnitOfWork } from '../../../platform/db/index.js';
import type { PinWarning, PlacesOutside } from '../../residency/index.js';
import { AttachmentsRepository, type PlacedAttachment } from '../persistence/attachments.repository.js';
import { AutomaticIncidents, type IncidentOfAttachment } from './automatic-incidents.js';
import { DataPlaneRegions, type JudgeRegions } from './data-plane-regions.js';
import { ServedLately } from './served-lately.js';

const AT_ONCE = 500;
/** Attachments that are listed; all get their incident. */
const MOST_LISTED = 100;

/** What a new pin of the context's tenant means for the attachments that it has. */
@Injectable()
export class PinnedAttachments implements PlacesOutside {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly attachments: AttachmentsRepository,
    private readonly regions: DataPlaneRegions,
    private readonly incidents: AutomaticIncidents,
    private readonly lately: ServedLately,
  ) {}

  /** Active attachments that the pin leaves outside its zone, each with an incident. In the transaction of the pin. */
  async found(pin: string): Promise<readonly PinWarning[]> {
    const judge = this.regions.judgeFor(pin);
    const outside: PinWarning[] = [];
    await this.uow.run(async () => {
      for (let after: string | undefined; ;) {
        const part: PlacedAttachment[] = await this.attachments.placed(AT_ONCE, after);
        const warnings = await this.#warn(part.flatMap((attachment) => incidentOf(attachment, judge)));
        outside.push(...warnings.slice(0, MOST_LISTED - outside.length));
        after = part.at(-1)?.id;
        if (part.length < AT_ONCE) break;
      }
      this.lately.endWithCommit();
    });
    return outside;
  }

  async #warn(found: readonly IncidentOfAttachment[]): Promise<PinWarning[]> {
    const incidents = await this.incidents.open(found);
    return found.map(({ attachment: { id, vectorDbId } }) => ({
      code: 'residency.vector_db_mismatch',
      vector_db_id: String(vectorDbId),
      attachment_id: id,
      incident_id: incidents.get(id) ?? null,
    }));
  }
}

function incidentOf(attachment: PlacedAttachment, judge: JudgeRegions): IncidentOfAttachment[] {
  const { region, policyRegion, mode } = attachment;
  const { allowed, incident } = judge(region, { region: policyRegion, mode });
  if (allowed && incident === undefined) return [];
  return [{ ...(incident ?? { type: 'residency_breach', severity: 'critical' }), attachment }];
}
