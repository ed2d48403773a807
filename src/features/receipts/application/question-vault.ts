import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { currentContext } from '../../../kernel/context.js';
import type { Principal } from '../../../kernel/principal.js';
import { SecretBox } from '../../../platform/crypto/index.js';
import type { RetrievalFacts } from './receipt-facts.js';

const question = z.object({
  query: z.string(),
  filter: z.record(z.string(), z.unknown()).optional(),
  subjectId: z.string(),
  role: z.enum(['reader', 'editor', 'admin']),
  authMethod: z.enum(['api_key', 'sso_session', 'dev_bypass', 'system']),
  apiKeyId: z.string(),
  callerType: z.string().optional(),
  ipAddress: z.string().optional(),
});

/** What a replay needs to ask the same again as the same somebody, and nobody else may read. */
export type KeptQuestion = z.infer<typeof question>;

/** Questions of receipts, encrypted for their receipt: a copy beside another one is worth nothing. */
@Injectable()
export class QuestionVault {
  constructor(private readonly secrets: SecretBox) {}

  seal(receiptId: string, { tenantId, principal, query, filter }: RetrievalFacts): Buffer {
    const { subjectId, role, authMethod, apiKeyId, callerType } = principal;
    const { ipAddress } = currentContext();
    const kept = { query, filter, subjectId, role, authMethod, apiKeyId, callerType, ipAddress };
    return this.secrets.seal(placeOf(tenantId, receiptId), JSON.stringify(kept));
  }

  /** Undefined when it cannot be decrypted. */
  open(tenantId: string, receiptId: string, sealed: Buffer): KeptQuestion | undefined {
    try {
      return question.parse(JSON.parse(this.secrets.open(placeOf(tenantId, receiptId), sealed)));
    } catch {
      return undefined;
    }
  }
}

function placeOf(tenantId: string, receiptId: string): { purpose: string; tenantId: string; record: string } {
  return { purpose: 'receipt-question', tenantId, record: receiptId };
}

/** Whoever asked, as they were then. */
export function askerOf(
  { subjectId, role, authMethod, apiKeyId, callerType }: KeptQuestion,
  tenantId: string,
): Principal {
  return {
    subjectId,
    tenantId,
    role,
    apiKeyId,
    authMethod,
    subjectType: 'user',
    ...(callerType === undefined ? {} : { callerType }),
  };
}
