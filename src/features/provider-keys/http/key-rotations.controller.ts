import { Body, Controller, Param, Post } from '@nestjs/common';
import { Operation, UuidParam } from '../../../platform/http/index.js';
import { Attestations } from '../application/attestations.js';
import { DecideRotation } from '../application/decide-rotation.js';
import { RequestRotation } from '../application/request-rotation.js';
import { providerKeysErrors } from '../provider-keys.errors.js';
import { CHANGE, NAMED, UNATTESTED } from './operations.js';
import { deadline } from './provider-keys.controller.js';
import {
  ApproveRotationDto,
  RejectRotationDto,
  RequestRotationDto,
  RotationDto,
  toRotationDto,
} from './provider-keys.dto.js';

@Controller('v1/providers/:provider_id/keys/:key_id/rotations')
export class KeyRotationsController {
  constructor(
    private readonly requests: RequestRotation,
    private readonly decisions: DecideRotation,
    private readonly attestations: Attestations,
  ) {}

  @Post()
  @Operation({
    ...CHANGE,
    id: 'key-rotations.request',
    summary: 'Ask for the rotation of a key, which another admin approves',
    body: 'json',
    audit: ['provider_key.rotation_requested'],
    errors: [
      ...NAMED,
      ...UNATTESTED,
      'REQUEST_ACTOR_REQUIRED',
      'PROVIDER_KEY_VERSION_CONFLICT',
      'ROTATION_ALREADY_PENDING',
      'PROVIDER_KEY_NOT_ACTIVE',
      'PROVIDER_KEY_RETIRED',
      'PROVIDER_KEY_COMPROMISED',
    ],
    returns: RotationDto,
  })
  async request(
    @Param('provider_id', UuidParam) providerId: string,
    @Param('key_id', UuidParam) keyId: string,
    @Body() body: RequestRotationDto,
  ): Promise<RotationDto> {
    const attestation = this.attestations.accept(body.attestation_digest, body.attestation_signature);
    const actorRef = body.request_actor_ref?.trim() ?? '';
    if (actorRef === '') throw providerKeysErrors.REQUEST_ACTOR_REQUIRED();
    const expectedVersion = body.expected_version ?? undefined;
    return toRotationDto(await this.requests.request(providerId, keyId, { attestation, actorRef, expectedVersion }));
  }

  @Post(':rotation_id/approve')
  @Operation({
    ...CHANGE,
    id: 'key-rotations.approve',
    summary: 'Approve a rotation: the key gets the new attestation and a new deadline',
    body: 'json',
    audit: ['provider_key.rotation_approved'],
    errors: [
      ...NAMED,
      'ROTATION_DUE_INVALID',
      'ROTATION_NOT_PENDING',
      'FOUR_EYES_REQUIRED',
      'ATTESTATION_SIGNATURE_INVALID',
    ],
    returns: RotationDto,
  })
  async approve(
    @Param('provider_id', UuidParam) providerId: string,
    @Param('key_id', UuidParam) keyId: string,
    @Param('rotation_id', UuidParam) rotationId: string,
    @Body() { evidence_uri, rotation_due_at }: ApproveRotationDto,
  ): Promise<RotationDto> {
    const approval = { evidenceUri: evidence_uri ?? undefined, rotationDueAt: deadline(rotation_due_at) };
    return toRotationDto(await this.decisions.approve(providerId, keyId, rotationId, approval));
  }

  @Post(':rotation_id/reject')
  @Operation({
    ...CHANGE,
    id: 'key-rotations.reject',
    summary: 'Reject a rotation: the key stays as it was',
    body: 'json',
    audit: ['provider_key.rotation_failed'],
    errors: [...NAMED, 'ROTATION_NOT_PENDING'],
    returns: RotationDto,
  })
  async reject(
    @Param('provider_id', UuidParam) providerId: string,
    @Param('key_id', UuidParam) keyId: string,
    @Param('rotation_id', UuidParam) rotationId: string,
    @Body() { failure_reason }: RejectRotationDto,
  ): Promise<RotationDto> {
    return toRotationDto(await this.decisions.reject(providerId, keyId, rotationId, failure_reason));
  }
}
