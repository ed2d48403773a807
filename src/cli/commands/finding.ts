/** What the doctor found about one part. */
export interface Finding {
  readonly name: string;
  /** `note`: works, but whoever goes on should know. */
  readonly status: 'ok' | 'note' | 'fault';
  readonly detail: string;
  readonly next: string | null;
}
