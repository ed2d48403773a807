/** An attachment that a new pin leaves outside its zone, as the caller of the change is told. */
export interface PinWarning {
  readonly code: 'residency.vector_db_mismatch';
  readonly vector_db_id: string;
  readonly attachment_id: string;
  readonly incident_id: string | null;
}

/** Port: what is attached where a new pin does not allow it. Implemented by the feature that owns attachments. */
export abstract class PlacesOutside {
  /** In the transaction that pins the context's tenant. Opens the incidents that it names. */
  abstract found(pin: string): Promise<readonly PinWarning[]>;
}
