import { mkdirSync, openSync, readFileSync, rmSync, writeSync, closeSync } from 'node:fs';
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
  get #lockPath(): string {
    return join(this.path, 'lock');
  }

  /** @throws DataFolderLocked while a live process holds the folder. */
  lock(): void {
    mkdirSync(this.path, { recursive: true, mode: 0o700 });
    for (let attempt = 0; attempt < 2; attempt += 1) {
      try {
        const file = openSync(this.#lockPath, 'wx', 0o600);
        writeSync(file, String(process.pid));
        closeSync(file);
        this.#locked = true;
        return;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
        const holder = this.holder();
        if (holder !== undefined) throw new DataFolderLocked(this.path, String(holder));
        rmSync(this.#lockPath, { force: true });
      }
    }
    throw new DataFolderLocked(this.path, 'unknown');
  }

  /** Process id of the live holder, if any. */
  holder(): number | undefined {
    let pid: number;
    try {
      pid = Number(readFileSync(this.#lockPath, 'utf8'));
    } catch {
      return undefined;
    }
    if (!Number.isInteger(pid) || pid <= 0 || (pid === process.pid && !this.#locked)) return undefined;
    try {
      process.kill(pid, 0);
      return pid;
    } catch (error) {
      return (error as NodeJS.ErrnoException).code === 'EPERM' ? pid : undefined;
    }
  }

  unlock(): void {
    if (!this.#locked) return;
    this.#locked = false;
    rmSync(this.#lockPath, { force: true });
  }
}
