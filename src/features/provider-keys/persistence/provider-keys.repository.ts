import { Injectable } from '@nestjs/common';
import { decodeCursor, Page } from '../../../kernel/cursor.js';
import { constraints, UnitOfWork } from '../../../platform/db/index.js';
import type { KeyState } from '../domain/binding.js';
import { keyStateOf } from '../domain/key-state.js';
import type { KeyRotation, ProviderKey } from '../domain/provider-key.js';
import { providerKeysErrors } from '../provider-keys.errors.js';

export interface Attestation {
  readonly digest: string;
  readonly signature: string;
}

export type NewKey = Pick<
  ProviderKey,
  'id' | 'providerId' | 'alias' | 'state' | 'rotationDueAt' | 'activatedAt' | 'keyRef' | 'keyRefProvider'
>;

/** What is given is set, but for moments of an end, of which the first stays. */
export interface KeyChange {
  readonly state: KeyState;
  readonly rotationDueAt?: Date;
  readonly attestation?: Attestation;
  readonly attestationVerifiedAt?: Date;
  readonly activatedAt?: Date;
  readonly retiredAt?: Date;
  readonly compromisedAt?: Date;
}

/** A rotation with the signature that its approval gives to the key. */
export type StoredRotation = KeyRotation & { readonly attestationSignature: string };

/** Keys with their rotations. */
@Injectable()
export class ProviderKeysRepository {
  constructor(private readonly uow: UnitOfWork) {}

  /** Newest first. @throws INVALID_CURSOR */
  async list(providerId: string, limit: number, cursor?: string): Promise<Page<ProviderKey>> {
    const [time, id] = cursor === undefined ? [] : decodeCursor(cursor, ['timestamp', 'uuid']);
    const rows = await this.uow.rows<ProviderKey & { position: string }>(
      `SELECT ${COLUMNS}, k.created_at::text AS position FROM provider_keys k
        WHERE k.tenant_id = $1 AND k.provider_id = $2
          AND ($3::timestamptz IS NULL OR (k.created_at, k.id) < ($3::timestamptz, $4::uuid))
        ORDER BY k.created_at DESC, k.id DESC LIMIT $5`,
      [this.uow.tenantId, providerId, time ?? null, id ?? null, limit + 1],
    );
    return Page.of(rows, limit, (row) => [row.position, row.id]).map(known);
  }

  async find(providerId: string, id: string): Promise<ProviderKey | undefined> {
    return this.#find(providerId, id, '');
  }

  /** Together with its provider: nobody else changes the key, or adds to the ledger, until the transaction ends. */
  async lock(providerId: string, id: string): Promise<ProviderKey | undefined> {
    return this.#find(providerId, id, 'FOR NO KEY UPDATE OF p, k');
  }

  /** Those that wait for somebody who signs their attestation, oldest first. */
  async waiting(providerId: string, limit: number): Promise<(Attestation & { readonly id: string })[]> {
    return this.uow.rows<Attestation & { readonly id: string }>(
      `SELECT id, attestation_digest AS digest, attestation_signature AS signature FROM provider_keys
        WHERE tenant_id = $1 AND provider_id = $2 AND state = 'pending_registration'
          AND attestation_digest IS NOT NULL AND attestation_signature IS NOT NULL
        ORDER BY created_at, id LIMIT $3`,
      [this.uow.tenantId, providerId, limit],
    );
  }

  /** The newest key of each state of each provider, newest first. */
  async newestOfEachState(providerIds: readonly string[]): Promise<ProviderKey[]> {
    const rows = await this.uow.rows<ProviderKey>(
      `SELECT ${COLUMNS} FROM provider_keys k
        WHERE k.tenant_id = $1 AND k.id = ANY (ARRAY(
          SELECT DISTINCT ON (provider_id, state) id FROM provider_keys
           WHERE tenant_id = $1 AND provider_id = ANY ($2::uuid[])
           ORDER BY provider_id, state, created_at DESC, id DESC))
        ORDER BY k.created_at DESC, k.id DESC`,
      [this.uow.tenantId, providerIds],
    );
    return rows.map(known);
  }

  async insert(key: NewKey, attestation: Attestation, verifiedAt: Date | null): Promise<ProviderKey> {
    const row = await this.uow.first<ProviderKey>(
      `INSERT INTO provider_keys AS k (tenant_id, id, provider_id, alias, state, rotation_due_at, activated_at, key_ref,
         key_ref_provider, attestation_digest, attestation_signature, attestation_verified_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) RETURNING ${COLUMNS}`,
      [
        this.uow.tenantId,
        key.id,
        key.providerId,
        key.alias,
        key.state,
        key.rotationDueAt,
        key.activatedAt,
        key.keyRef,
        key.keyRefProvider,
        attestation.digest,
        attestation.signature,
        verifiedAt,
      ],
    );
    return known(row as ProviderKey);
  }

  /** Of a key that is locked. After the change of its rotation, so that it is returned as it is then. */
  async change(id: string, change: KeyChange): Promise<ProviderKey> {
    const { state, rotationDueAt, attestation, attestationVerifiedAt, activatedAt, retiredAt, compromisedAt } = change;
    const row = await this.uow.first<ProviderKey>(
      `UPDATE provider_keys AS k
          SET state = $3, rotation_due_at = COALESCE($4, k.rotation_due_at),
              attestation_digest = COALESCE($5, k.attestation_digest),
              attestation_signature = COALESCE($6, k.attestation_signature),
              attestation_verified_at = COALESCE($7, k.attestation_verified_at),
              activated_at = COALESCE(k.activated_at, $10), retired_at = COALESCE(k.retired_at, $8), compromised_at = COALESCE(k.compromised_at, $9),
              version = k.version + 1, updated_at = now()
        WHERE k.tenant_id = $1 AND k.id = $2 RETURNING ${COLUMNS}`,
      [
        this.uow.tenantId,
        id,
        state,
        rotationDueAt ?? null,
        attestation?.digest ?? null,
        attestation?.signature ?? null,
        attestationVerifiedAt ?? null,
        retiredAt ?? null,
        compromisedAt ?? null,
        activatedAt ?? null,
      ],
    );
    return known(row as ProviderKey);
  }

  /** Newest first. */
  async rotations(keyId: string, limit: number): Promise<KeyRotation[]> {
    return this.uow.rows<KeyRotation>(
      `SELECT ${ROTATION} FROM provider_key_rotations
        WHERE tenant_id = $1 AND provider_key_id = $2 ORDER BY requested_at DESC, id DESC LIMIT $3`,
      [this.uow.tenantId, keyId, limit],
    );
  }

  async findRotation(keyId: string, id: string): Promise<StoredRotation | undefined> {
    return this.uow.first<StoredRotation>(
      `SELECT ${ROTATION}, attestation_signature AS "attestationSignature" FROM provider_key_rotations
        WHERE tenant_id = $1 AND provider_key_id = $2 AND id = $3`,
      [this.uow.tenantId, keyId, id],
    );
  }

  /** @throws ROTATION_ALREADY_PENDING */
  async insertRotation(
    rotation: Pick<
      KeyRotation,
      'id' | 'keyId' | 'requestedAt' | 'requestedBy' | 'requestActorRef' | 'attestationVerified'
    >,
    { digest, signature }: Attestation,
  ): Promise<KeyRotation> {
    const row = await constraints(
      { ix_provider_key_rotations_pending: providerKeysErrors.ROTATION_ALREADY_PENDING },
      () =>
        this.uow.first<KeyRotation>(
          `INSERT INTO provider_key_rotations (tenant_id, id, provider_key_id, requested_at, requested_by,
             request_actor_ref, attestation_verified, attestation_digest, attestation_signature, metadata, status)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8::text, $9, jsonb_build_object('attestation_digest', $8::text),
             'pending_approval') RETURNING ${ROTATION}`,
          [
            this.uow.tenantId,
            rotation.id,
            rotation.keyId,
            rotation.requestedAt,
            rotation.requestedBy,
            rotation.requestActorRef,
            rotation.attestationVerified,
            digest,
            signature,
          ],
        ),
    );
    return row as KeyRotation;
  }

  /** Ends the rotation of the key that waits for approval. @returns undefined when none does. */
  async endRotation(
    keyId: string,
    end: {
      readonly status: 'approved' | 'failed';
      readonly by: string;
      readonly approvedAt?: Date;
      readonly evidenceUri?: string | undefined;
      readonly failureReason?: string;
      /** Whether a signer stands for its attestation; it may have before. */
      readonly signed?: boolean;
    },
  ): Promise<KeyRotation | undefined> {
    return this.uow.first<KeyRotation>(
      `UPDATE provider_key_rotations
          SET status = $3, approval_actor_ref = $4, approved_at = $5, evidence_uri = $6, failure_reason = $7,
              attestation_verified = attestation_verified OR $8
        WHERE tenant_id = $1 AND provider_key_id = $2 AND status = 'pending_approval' RETURNING ${ROTATION}`,
      [
        this.uow.tenantId,
        keyId,
        end.status,
        end.by,
        end.approvedAt ?? null,
        end.evidenceUri ?? null,
        end.failureReason ?? null,
        end.signed ?? false,
      ],
    );
  }

  async #find(providerId: string, id: string, lock: string): Promise<ProviderKey | undefined> {
    const row = await this.uow.first<ProviderKey>(
      `SELECT ${COLUMNS} FROM providers p
         JOIN provider_keys k ON k.tenant_id = p.tenant_id AND k.provider_id = p.id
        WHERE p.tenant_id = $1 AND p.id = $2 AND k.id = $3 ${lock}`,
      [this.uow.tenantId, providerId, id],
    );
    return row === undefined ? undefined : known(row);
  }
}

/** Of `provider_keys k`; for whoever reads keys beside what hangs on them. */
export const COLUMNS = `k.id, k.provider_id AS "providerId", k.alias, k.state, k.rotation_due_at AS "rotationDueAt",
  k.attestation_digest AS "attestationDigest", k.attestation_signature IS NOT NULL AS "signatureRegistered",
  k.attestation_verified_at AS "attestationVerifiedAt", k.activated_at AS "activatedAt", k.retired_at AS "retiredAt",
  k.compromised_at AS "compromisedAt", k.key_ref AS "keyRef", k.key_ref_provider AS "keyRefProvider",
  k.version::int AS version, k.created_at AS "createdAt", k.updated_at AS "updatedAt",
  (SELECT r.requested_at FROM provider_key_rotations r
    WHERE r.tenant_id = k.tenant_id AND r.provider_key_id = k.id AND r.status = 'pending_approval')
    AS "rotationRequestedAt"`;

const ROTATION = `id, provider_key_id AS "keyId", requested_at AS "requestedAt", requested_by AS "requestedBy",
  approved_at AS "approvedAt", status, evidence_uri AS "evidenceUri", request_actor_ref AS "requestActorRef",
  approval_actor_ref AS "approvalActorRef", failure_reason AS "failureReason", metadata,
  attestation_digest AS "attestationDigest", attestation_verified AS "attestationVerified"`;

export function known<K extends { readonly state: KeyState }>(row: K): K {
  return { ...row, state: keyStateOf(row.state) };
}
