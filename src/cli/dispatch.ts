import { holdProcess } from '../app/hold-process.js';
import { SettingsError, type Settings } from '../kernel/settings.js';
import { DataFolder, dbSettings } from '../platform/db/index.js';
import type { Command } from './command.js';
import { askServer } from './control-client.js';
import { OwnContext } from './own-context.js';

/**
 * Executes a command where it can be: in the server that holds the embedded database, or else in this process.
 *
 * @param loadSettings reads the environment; its faults are the command's to report.
 */
export async function dispatch(
  command: Command,
  args: Record<string, unknown>,
  loadSettings: () => Settings,
): Promise<unknown> {
  const server = command.local ? undefined : holderOf(loadSettings);
  if (server !== undefined) {
    return askServer(server.folder, server.pid, { command: command.name, args });
  }
  const context = new OwnContext(loadSettings);
  const release = holdProcess();
  try {
    return await command.execute(context, args);
  } finally {
    await context.close();
    release();
  }
}

function holderOf(loadSettings: () => Settings): { folder: DataFolder; pid: number } | undefined {
  try {
    const { url, dataDir } = loadSettings().get(dbSettings);
    if (url !== undefined) return undefined;
    const folder = new DataFolder(dataDir);
    const pid = folder.holder();
    return pid === undefined ? undefined : { folder, pid };
  } catch (error) {
    if (error instanceof SettingsError) return undefined;
    throw error;
  }
}
