import { z } from 'zod';
import { readinessChecks } from '../../app/readiness-checks.js';
import { SettingsError } from '../../kernel/settings.js';
import { defineCommand, type CommandContext } from '../command.js';
import { asFailure, EXIT } from '../failure.js';
import { checkConfiguration } from './doctor-configuration.js';
import type { Finding } from './finding.js';

const finding = z.object({
  name: z.string(),
  status: z.enum(['ok', 'note', 'fault']),
  detail: z.string(),
  next: z.string().nullable(),
});

export const doctor = defineCommand({
  name: 'doctor',
  summary: 'Say what is configured, what can be reached, what is missing, and what to do next.',
  args: z.strictObject({}),
  result: z.object({ healthy: z.boolean(), checks: z.array(finding) }),
  run: async (context) => {
    const checks = await examine(context);
    return { healthy: checks.every(({ status }) => status !== 'fault'), checks };
  },
  view: ({ checks }) => ({
    kind: 'table',
    head: ['', 'check', 'finding', 'what to do'],
    rows: checks.map(({ status, name, detail, next }) => [status, name, detail, next ?? '']),
    empty: 'Nothing was checked.',
  }),
  exitCode: ({ healthy }) => (healthy ? EXIT.ok : EXIT.failure),
});

async function examine(context: CommandContext): Promise<Finding[]> {
  try {
    const configuration = checkConfiguration(context.settings, context.serving);
    const unopened = configuration.some(({ name, status }) => name === 'data folder' && status !== 'ok');
    return [...configuration, ...(unopened ? [] : await checkReach(context))];
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    return error.faults.map((fault) => ({
      name: 'settings',
      status: 'fault',
      detail: fault,
      next: 'Correct it in the environment or in .env.',
    }));
  }
}

/** What to do when a part cannot be reached, by the name of its readiness check. */
const ADVICE: Readonly<Record<string, string>> = {
  database: 'Start the database, or correct DATABASE_URL.',
  migrations: 'nexusrag migrate up',
  shared_state: 'Start Redis, or correct REDIS_URL.',
  queue: 'Start Redis, or correct REDIS_URL.',
  documents: 'Check DOCUMENT_STORAGE_* and the rights to the folder or bucket.',
  residency: 'Set STATEWAVE_REGION, so that the pins of tenants are obeyed, or take them off.',
};

/** What is in order; anything else is reachable. */
const IN_ORDER: Readonly<Record<string, string>> = { migrations: 'up to date', residency: 'as configured' };

async function checkReach(context: CommandContext): Promise<Finding[]> {
  let checks;
  try {
    checks = readinessChecks(await context.infrastructure());
  } catch (error) {
    const { message } = asFailure(error);
    return [{ name: 'database', status: 'fault', detail: message, next: ADVICE['database'] ?? null }];
  }
  const findings: Finding[] = [];
  for (const part of checks) {
    const { name, isWarning } = part;
    const fault = await part.check();
    findings.push(
      fault === undefined
        ? { name, status: 'ok', detail: IN_ORDER[name] ?? 'reachable', next: null }
        : { name, status: isWarning === true ? 'note' : 'fault', detail: fault, next: ADVICE[name] ?? null },
    );
  }
  return findings;
}
