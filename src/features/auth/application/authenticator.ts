import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { AuditTrail, type AuditEntry } from '../../../kernel/audit.js';
import { runInContext, systemContext, tryContext } from '../../../kernel/context.js';
import type { AppError } from '../../../kernel/errors.js';
import { equalInConstantTime, sha256Hex } from '../../../kernel/hash.js';
import { Log } from '../../../kernel/log.js';
import { isRole, type Principal } from '../../../kernel/principal.js';
import { Clock } from '../../../kernel/time.js';
import { UnitOfWork } from '../../../platform/db/index.js';
import { Tenants, TENANT_ID } from '../../tenants/index.js';
import { authErrors } from '../auth.errors.js';
import { authSettings, type AuthSettings } from '../auth.settings.js';
import { keyIdOf, refusalOf, type StoredKey } from '../domain/api-key.js';
import { ApiKeysRepository } from '../persistence/api-keys.repository.js';
import { KeyEvictions } from './key-evictions.js';
import { PrincipalCache } from './principal-cache.js';

/** What a request says about its sender. */
export interface Credentials {
  /** Value of the credential header; undefined when it was not sent. */
  readonly header: string | undefined;
  /** Development bypass. */
  readonly tenantId: string | undefined;
  readonly role: string | undefined;
  readonly method: string;
  readonly path: string;
}

/** Turns credentials into a principal, or refuses them with the first reason that applies. */
@Injectable()
export class Authenticator implements OnModuleInit {
  readonly #cache: PrincipalCache;
  readonly #inactiveDays: number;

  constructor(
    @Inject(authSettings.token) private readonly settings: AuthSettings,
    private readonly keys: ApiKeysRepository,
    private readonly tenants: Tenants,
    private readonly uow: UnitOfWork,
    private readonly evictions: KeyEvictions,
    private readonly audit: AuditTrail,
    private readonly clock: Clock,
    private readonly log: Log,
  ) {
    this.#cache = new PrincipalCache(settings.cacheTtlSeconds, clock);
    this.#inactiveDays = settings.inactiveEnforced ? settings.inactiveDays : 0;
  }

  async onModuleInit(): Promise<void> {
    await this.evictions.listen((keyId) => this.#cache.evictKey(keyId));
  }

  /** Whom the same credentials belonged to a moment ago; undefined when that has to be looked up. */
  remembered(credentials: Credentials): Principal | undefined {
    const token = credentials.header === undefined ? undefined : bearerToken(credentials.header);
    const principal = token === undefined || !this.settings.enabled ? undefined : this.#cache.get(sha256Hex(token));
    if (principal !== undefined) this.#accepted(credentials, principal, true);
    return principal;
  }

  /** @throws the 401, 403 and 503 codes of auth.errors; 400 AUTH_INVALID_ROLE under the development bypass. */
  async authenticate(credentials: Credentials): Promise<Principal> {
    const { header } = credentials;
    const token = header === undefined ? undefined : bearerToken(header);
    if (header !== undefined && token === undefined) throw this.#refuse(credentials, authErrors.AUTH_UNAUTHORIZED());
    if (!this.settings.enabled || token === undefined) {
      if (this.settings.devBypass) return this.#bypass(credentials);
      const message = this.settings.enabled
        ? undefined
        : 'Authentication is off. Set AUTH_DEV_BYPASS=true to act through X-Tenant-Id, or AUTH_ENABLED=true.';
      throw this.#refuse(credentials, authErrors.AUTH_UNAUTHORIZED(message === undefined ? {} : { message }));
    }
    return this.#apiKey(credentials, token);
  }

  async #apiKey(credentials: Credentials, token: string): Promise<Principal> {
    const tokenHash = sha256Hex(token);
    const mark = this.#cache.mark();
    const key = await this.#find(credentials, token, tokenHash);
    if (key === undefined) throw this.#refuse(credentials, authErrors.AUTH_UNAUTHORIZED());
    const now = this.clock.now();
    const refusal = refusalOf(key, now, this.#inactiveDays);
    if (refusal !== undefined) throw this.#refuse(credentials, authErrors[refusal](), key);
    if (!isRole(key.role)) throw this.#refuse(credentials, authErrors.AUTH_FORBIDDEN(), key);
    const principal: Principal = {
      subjectId: key.userId,
      tenantId: key.tenantId,
      role: key.role,
      apiKeyId: key.id,
      authMethod: 'api_key',
      subjectType: 'user',
    };
    this.#cache.set(tokenHash, principal, key.expiresAt, mark);
    this.#touch(key, now);
    this.#accepted(credentials, principal, false);
    return principal;
  }

  async #find(credentials: Credentials, token: string, tokenHash: string): Promise<StoredKey | undefined> {
    const id = keyIdOf(token);
    if (id === undefined) return undefined;
    let found;
    try {
      found = await this.keys.findForAuthentication(id);
    } catch (cause) {
      throw this.#refuse(credentials, authErrors.AUTH_UNAVAILABLE({ cause }));
    }
    return found !== undefined && equalInConstantTime(found.hash, tokenHash) ? found.key : undefined;
  }

  async #bypass(credentials: Credentials): Promise<Principal> {
    const tenantId = credentials.tenantId?.trim();
    if (tenantId === undefined || !TENANT_ID.test(tenantId)) {
      throw this.#refuse(
        credentials,
        authErrors.AUTH_UNAUTHORIZED({ message: 'The development bypass needs the header X-Tenant-Id.' }),
      );
    }
    const role = (credentials.role ?? 'admin').trim().toLowerCase();
    if (!isRole(role)) throw authErrors.AUTH_INVALID_ROLE();
    await this.tenants.ensure(tenantId);
    const principal: Principal = {
      subjectId: `dev-${tenantId}`,
      tenantId,
      role,
      apiKeyId: 'dev-bypass',
      authMethod: 'dev_bypass',
      subjectType: 'user',
    };
    this.#accepted(credentials, principal, false);
    return principal;
  }

  /** Best effort and only when the key was not cached: the exact moment matters to nobody. */
  #touch(key: StoredKey, now: Date): void {
    const context = systemContext(tryContext()?.requestId ?? '', key.tenantId);
    runInContext(context, () => this.uow.run(() => this.keys.touch(key.id, now))).catch((error: unknown) => {
      this.log.warn({ err: error, api_key_id: key.id }, 'last use of an API key was not recorded');
    });
  }

  #accepted({ path, method }: Credentials, principal: Principal, fromCache: boolean): void {
    this.audit.note({
      event: 'auth.access.success',
      outcome: 'success',
      actor: {
        type: principal.authMethod,
        id: principal.apiKeyId,
        role: principal.role,
        tenantId: principal.tenantId,
        subjectId: principal.subjectId,
      },
      metadata: { path, method, auth_cache: fromCache },
    });
  }

  #refuse({ path, method }: Credentials, error: AppError, key?: StoredKey): AppError {
    const entry: AuditEntry = {
      event: 'auth.access.failure',
      outcome: 'failure',
      errorCode: error.code,
      actor: key === undefined ? { type: 'anonymous' } : { type: 'api_key', id: key.id, tenantId: key.tenantId },
      metadata: {
        path,
        method,
        ...(key === undefined ? {} : { user_id: key.userId }),
        ...(error.code === 'AUTH_INACTIVE_KEY' ? { inactive_days_threshold: this.#inactiveDays } : {}),
      },
    };
    this.audit.note(entry);
    if (error.code === 'AUTH_EXPIRED_KEY') this.audit.note({ ...entry, event: 'auth.api_key.expired' });
    return error;
  }
}

/** The token of `Bearer <token>`; undefined when the header has another form. */
function bearerToken(header: string): string | undefined {
  const [scheme, token, ...rest] = header.trim().split(/\s+/);
  return scheme?.toLowerCase() === 'bearer' && rest.length === 0 ? token : undefined;
}
