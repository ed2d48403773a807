import { SettingsError } from '../kernel/settings.js';
import { DataFolderLocked, isUnavailable } from '../platform/db/index.js';

/** A known reason why a process cannot start or a command cannot run, in words that say what to do about it. */
export interface StartFault {
  readonly code: string;
  readonly message: string;
}

/** The schema is older than this program. Only the operator may decide when it changes. */
export class MigrationsPending extends Error {
  constructor(readonly names: readonly string[]) {
    super(`The database lacks ${names.length} migration${names.length === 1 ? '' : 's'}. Run: nexusrag migrate up`);
    this.name = 'MigrationsPending';
  }
}

/** A process of this kind has no place in the configuration it was given. */
export class WrongRole extends Error {
  override readonly name = 'WrongRole';
}

/** @returns undefined for a fault that needs its stack to be understood. */
export function startFault(error: unknown): StartFault | undefined {
  if (error instanceof SettingsError) return { code: 'SETTINGS_INVALID', message: error.message };
  if (error instanceof DataFolderLocked) return { code: 'DATA_FOLDER_LOCKED', message: error.message };
  if (error instanceof MigrationsPending) return { code: 'MIGRATIONS_PENDING', message: error.message };
  if (error instanceof WrongRole) return { code: 'WRONG_ROLE', message: error.message };
  return listenFault(error) ?? databaseFault(error);
}

interface SystemError {
  readonly code?: string;
  readonly syscall?: string;
  readonly port?: number;
  readonly path?: string;
}

function listenFault(error: unknown): StartFault | undefined {
  const { code, syscall, port } = systemError(error);
  if (syscall !== 'listen') return undefined;
  if (code === 'EADDRINUSE') {
    const message = `Port ${port} is taken by another program. Choose another one: PORT=${otherPort(port)}`;
    return { code: 'PORT_IN_USE', message };
  }
  if (code === 'EACCES') {
    return {
      code: 'PORT_FORBIDDEN',
      message: `This user may not listen on port ${port}. Choose one above 1023: PORT=8000`,
    };
  }
  return undefined;
}

function otherPort(port: number | undefined): number {
  return port === undefined || port >= 65_535 ? 8080 : port + 1;
}

/** SQLSTATEs of a server that answers but does not let us in. */
const REFUSALS: Readonly<Record<string, string>> = {
  '28P01': 'The database refuses the password in DATABASE_URL.',
  '28000': 'The database refuses the user in DATABASE_URL.',
  '3D000': 'The database that DATABASE_URL names does not exist. Create it first.',
  '53300': 'The database has no connection left for us. Lower API_DB_POOL_SIZE or raise its max_connections.',
};

/** Names no host: an address in a message ends up in places where it does not belong. */
function databaseFault(error: unknown): StartFault | undefined {
  const { code, path } = systemError(error);
  const refusal = REFUSALS[code ?? ''];
  if (refusal !== undefined) return { code: 'DATABASE_REFUSED', message: refusal };
  if (!isUnavailable(error)) return undefined;
  const reason = code === undefined ? '' : ` (${code}${path === undefined ? '' : ` ${path}`})`;
  const message = `The database that DATABASE_URL names cannot be reached${reason}. Start it, or correct the URL.`;
  return { code: 'DATABASE_UNREACHABLE', message };
}

function systemError(error: unknown): SystemError {
  return typeof error === 'object' && error !== null ? error : {};
}
