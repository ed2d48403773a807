import { beforeEach, describe, expect, it } from '@jest/globals';
import { AuditTrail, type AuditEntry } from '../../../kernel/audit.js';
import { AppError } from '../../../kernel/errors.js';
import { loadSettings } from '../../../kernel/settings.js';
import { modelEndpoints, modelSettings } from '../../../platform/model-gateway/index.js';
import type { DataPlaneMode } from '../domain/data-plane.js';
import { Placement, UNRESTRICTED } from './placement.js';

let noted: AuditEntry[];
beforeEach(() => {
  noted = [];
});

class Notes extends AuditTrail {
  async record(): Promise<void> {}
  note(entry: AuditEntry): void {
    noted.push(entry);
  }
}

const ZONES: Readonly<Record<string, string>> = { 'us-east-1': 'us', 'eu-central-1': 'eu', 'europe-west4': 'eu' };

function placement(mode: DataPlaneMode, env: Record<string, string> = {}): Placement {
  const endpoints = modelEndpoints(loadSettings(env, [modelSettings]).get(modelSettings));
  const zoneOf = (region: string): string => ZONES[region] ?? region;
  return new Placement({ zone: 'eu', pin: 'eu', providerMode: mode, egressMode: mode, endpoints, zoneOf }, new Notes());
}

function refusal(work: () => unknown): unknown {
  try {
    return work();
  } catch (error) {
    return error instanceof AppError ? [error.status, error.code, error.details] : error;
  }
}

const BEDROCK = { provider: 'aws_bedrock_kb', region: 'us-east-1' };

describe('a provider outside the zone of its tenant', () => {
  it('row 9: is refused as a conflict when set up, and forbidden when used, recorded', () => {
    const details = { provider: 'aws_bedrock_kb', provider_region: 'us-east-1' };
    const code = 'residency.provider_mismatch';
    const of = placement('block');
    expect(refusal(() => of.admitProvider(BEDROCK, 'change'))).toEqual([409, code, details]);
    expect(refusal(() => of.admitProvider(BEDROCK, 'use'))).toEqual([403, code, details]);
    const entry = { event: code, outcome: 'failure', errorCode: code };
    const metadata = { surface: 'provider', provider: 'aws_bedrock_kb', provider_region: 'us-east-1', mode: 'block' };
    expect(noted).toEqual([
      { ...entry, metadata },
      { ...entry, metadata },
    ]);
  });

  it('row 9: is recorded and decided on where it is monitored, and nothing where it is off', () => {
    expect(placement('monitor').admitProvider(BEDROCK, 'use')).toEqual([
      {
        engine: 'residency',
        policyId: 'provider:us-east-1',
        effect: 'note',
        code: 'residency.provider_mismatch',
      },
    ]);
    expect(noted.map(({ event, outcome }) => [event, outcome])).toEqual([['residency.provider_mismatch', 'success']]);
    expect(placement('off').admitProvider(BEDROCK, 'use')).toEqual([{ engine: 'residency', effect: 'allow' }]);
    expect(noted).toHaveLength(1);
  });

  it('row 10: is none of the local ones, nor one in the zone', () => {
    const allow = [{ engine: 'residency', effect: 'allow' }];
    expect(placement('block').admitProvider({ provider: 'local_pgvector', region: null }, 'use')).toEqual(allow);
    const near = { provider: 'gcp_vertex', region: 'europe-west4' };
    expect(placement('block').admitProvider(near, 'change')).toEqual(allow);
    expect(noted).toEqual([]);
  });
});

describe('an endpoint of a model', () => {
  const VERTEX = {
    LLM_PROVIDER: 'vertex',
    EMBEDDING_PROVIDER: 'vertex',
    GOOGLE_CLOUD_PROJECT: 'p',
    GEMINI_MODEL: 'm',
    GOOGLE_CLOUD_LOCATION: 'us-east-1',
  };

  it('outside the zone is refused where it is blocked', () => {
    expect(refusal(() => placement('block', VERTEX).admitEgress(['llm']))).toEqual([
      403,
      'residency.egress_blocked',
      { surface: 'llm', provider: 'vertex', provider_region: 'us-east-1' },
    ]);
    expect(noted.map(({ event, outcome, errorCode }) => [event, outcome, errorCode])).toEqual([
      ['residency.egress', 'failure', 'residency.egress_blocked'],
    ]);
  });

  it('outside the zone is recorded and decided on where it is monitored', () => {
    const note = (policyId: string) => ({ engine: 'residency', policyId, effect: 'note', code: 'residency.egress' });
    expect(placement('monitor', VERTEX).admitEgress(['llm', 'embedding'])).toEqual([
      note('llm:us-east-1'),
      note('embedding:us-east-1'),
    ]);
    expect(noted.map(({ metadata }) => metadata?.['surface'])).toEqual(['llm', 'embedding']);
    expect(placement('off', VERTEX).admitEgress(['llm'])).toEqual([]);
  });

  const elsewhere = { LLM_PROVIDER: 'openai', OPENAI_BASE_URL: 'http://models.invalid/v1' };

  it('counts as outside where nobody knows it, and the refusal names the setting', () => {
    const surface = { surface: 'llm', provider: 'openai', provider_region: null };
    expect(refusal(() => placement('block', elsewhere).admitEgress(['embedding', 'llm']))).toEqual([
      403,
      'residency.egress_blocked',
      surface,
    ]);
    expect(() => placement('block', elsewhere).admitEgress(['llm'])).toThrow(/LLM_REGION\.$/);
    expect(placement('monitor', elsewhere).admitEgress(['llm'])).toHaveLength(1);
    expect(noted.at(-1)?.metadata).toEqual({ ...surface, mode: 'monitor' });
  });

  it('is inside where it is in this process, and where it is told to be', () => {
    for (const llm of ['fake', 'extractive']) {
      const nowhere = placement('block', { LLM_PROVIDER: llm });
      expect(nowhere.admitEgress(['llm', 'embedding', 'reranker'])).toEqual([]);
    }
    expect(placement('block', { ...elsewhere, LLM_REGION: 'eu-central-1' }).admitEgress(['llm'])).toEqual([]);
    expect(placement('block', { ...VERTEX, LLM_REGION: 'eu' }).admitEgress(['llm'])).toEqual([]);
    expect(noted).toEqual([]);
  });
});

it('restricts nothing without a pin', () => {
  expect(UNRESTRICTED.isRestricted).toBe(false);
  expect([...UNRESTRICTED.admitProvider(BEDROCK, 'change'), ...UNRESTRICTED.admitEgress(['llm'])]).toEqual([]);
});
