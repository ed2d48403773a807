export class BillingWebhookTestDto {
  /** Whether the receiver accepted the event. */
  sent!: boolean;
  /** What it answered; null when it did not. */
  status_code!: number | null;
  delivery_id!: string;
  message!: string;
}
