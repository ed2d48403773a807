import type { Command } from './command.js';
import { auditVerify } from './commands/audit-verify.js';
import { authzTest } from './commands/authz-test.js';
import { doctor } from './commands/doctor.js';
import { keysCreate } from './commands/keys-create.js';
import { keysList } from './commands/keys-list.js';
import { keysRevoke } from './commands/keys-revoke.js';
import { keysRotate } from './commands/keys-rotate.js';
import { migrateDown, migrateStatus, migrateUp } from './commands/migrate.js';
import { plansAssign } from './commands/plans-assign.js';
import { providerSmoke } from './commands/provider-smoke.js';
import { residencyKey } from './commands/residency-key.js';
import { receiptsChain } from './commands/receipts-chain.js';
import { receiptsVerify } from './commands/receipts-verify.js';
import { seedDemoCommand } from './commands/seed-demo.js';
import { webhooksList, webhooksReplay } from './commands/webhooks.js';

/** Every command, in the order of the help text. */
export const COMMANDS: readonly Command[] = [
  doctor,
  keysCreate,
  keysList,
  keysRevoke,
  keysRotate,
  migrateUp,
  migrateDown,
  migrateStatus,
  plansAssign,
  auditVerify,
  authzTest,
  providerSmoke,
  residencyKey,
  receiptsChain,
  receiptsVerify,
  seedDemoCommand,
  webhooksList,
  webhooksReplay,
];
