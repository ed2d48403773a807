import { Controller, Get } from '@nestjs/common';
import { Operation } from '../../../platform/http/index.js';
import type { PublicKey } from '../domain/signing-keys.js';
import { PublicKeys } from '../application/public-keys.js';

export class PublicKeyDto {
  kty!: 'OKP';
  crv!: 'Ed25519';
  x!: string;
  /** `receipt_signature_key_id` of the receipts that it verifies. */
  kid!: string;
  use!: 'sig';
  alg!: 'EdDSA';
}

export class PublicKeySetDto {
  keys!: PublicKeyDto[];
}

/** Also at /.well-known/receipt-keys.json, where others look for it. */
@Controller('v1/.well-known')
export class ReceiptKeysController {
  constructor(private readonly publicKeys: PublicKeys) {}

  @Get('receipt-keys.json')
  @Operation({
    id: 'receipt-keys.get',
    summary: 'Public keys that verify receipts signed with Ed25519 (JWKS)',
    role: 'public',
    rateClass: 'none',
    cost: 0,
    response: 'bare',
    returns: PublicKeySetDto,
  })
  get(): { keys: readonly PublicKey[] } {
    return { keys: this.publicKeys.keys };
  }
}
