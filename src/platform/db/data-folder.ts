import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

export class DataFolderLocked extends Error {
  constructor(folder: string, pid: string) {
    super(
      `The data folder ${folder} is in use by process ${pid}. Stop that process, or set NEXUSRAG_DATA_DIR to another folder.`,
    );
    this.name = 'DataFolderLocked';
  }
}

/**
 * The folder of the embedded database. Only one process may open it: the database itself would let a second one in
 * and be ruined, so the lock file is taken first. A lock whose process is gone is taken over.
 */
export class DataFolder {
  readonly path: string;
  #locked = false;

  constructor(folder: string) {
    this.path = resolve(folder);
  }

  get databasePath(): string {
    return join(this.path, 'db');
  }
  get documentsPath(): string {
    return join(this.path, 'documents');
  }
  get controlSocketPath(): string {
    return join(this.path, 'control.sock');
  }
  get demoKeyPath(): string {
    return join(this.path, 'demo-admin-key');
  }
  get masterKeyPath(): string {
    return join(this.path, 'keyring-master-key');
  }
  get receiptKeyPath(): string {
    return join(this.path, 'receipt-signing-key');
  }
  get #lockPath(): string {
    return join(this.path, 'lock');
  }

  /** @throws DataFolderLocked while a live process holds the folder. */
  lock(): void {
    mkdirSync(this.path, { recursive: true, mode: 0o700 });
    const mine = `${this.#lockPath}.${process.pid}`;
    writeFileSync(mine, String(process.pid), { mode: 0o600 });
    try {
      for (let attempt = 0; attempt < 3 && !this.#locked; attempt += 1) {
        this.#locked = linked(mine, this.#lockPath);
        if (!this.#locked) this.#removeStaleLock();
      }
    } finally {
      rmSync(mine, { force: true });
    }
    if (!this.#locked) throw new DataFolderLocked(this.path, String(this.holder() ?? 'unknown'));
  }

  /**
   * Two processes may find one stale lock. It is moved aside before it is judged for good, so that the slower of them
   * cannot delete the lock that the faster one has taken since.
   */
  #removeStaleLock(): void {
    const holder = this.holder();
    if (holder !== undefined) throw new DataFolderLocked(this.path, String(holder));
    const aside = `${this.#lockPath}.${process.pid}.stale`;
    try {
      renameSync(this.#lockPath, aside);
    } catch {
      return;
    }
    if ((liveProcess(aside) ?? process.pid) !== process.pid) linked(aside, this.#lockPath);
    rmSync(aside, { force: true });
  }

  /** Process id of the live holder, if any. */
  holder(): number | undefined {
    const pid = liveProcess(this.#lockPath);
    return pid === process.pid && !this.#locked ? undefined : pid;
  }

  unlock(): void {
    if (!this.#locked) return;
    this.#locked = false;
    rmSync(this.#lockPath, { force: true });
  }
}

/** Gives a complete file a second name, unless the name is taken: no one ever sees a lock without its holder. */
function linked(file: string, name: string): boolean {
  try {
    linkSync(file, name);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** The process named in a lock file, if it lives. */
function liveProcess(file: string): number | undefined {
  let pid: number;
  try {
    pid = Number(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
  if (!Number.isInteger(pid) || pid <= 0) return undefined;
  try {
    process.kill(pid, 0);
    return pid;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM' ? pid : undefined;
  }
}
