import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '../../test/harness/eventually.js';

export interface Memory {
  readonly rss: number;
  readonly heapUsed: number;
}

const MEMORY_PROBE = new URL('../bare/memory-probe.mjs', import.meta.url).href;
/** Linux counts processor time for programs in hundredths of a second. */
const MS_PER_TICK = 10;
let started = 0;

/**
 * A server in a process of its own. What it prints goes to a file: reading it through a pipe would cost the process
 * that makes the load.
 */
export class ServerProcess {
  private constructor(
    private readonly child: ChildProcess,
    private readonly logFile: string,
  ) {}

  /** @param probed lets `memory()` ask for figures after a garbage collection. */
  static start(
    script: readonly string[],
    options: { env: Readonly<Record<string, string>>; folder: string; probed?: boolean },
  ): ServerProcess {
    const logFile = join(options.folder, `server-${(started += 1)}.log`);
    const output = openSync(logFile, 'a');
    const { PATH = '', HOME = '' } = process.env;
    const flags = options.probed === true ? ['--expose-gc', '--import', MEMORY_PROBE] : [];
    const child = spawn(process.execPath, [...flags, ...script], {
      env: { PATH, HOME, ...options.env },
      stdio: ['ignore', output, output, ...(options.probed === true ? ['ipc' as const] : [])],
    });
    closeSync(output);
    return new ServerProcess(child, logFile);
  }

  /** Waits until it prints the pattern. @throws with everything printed when it ends first. */
  async says(pattern: RegExp): Promise<RegExpExecArray> {
    return eventually(() => {
      const printed = readFileSync(this.logFile, 'utf8');
      const match = pattern.exec(printed);
      if (match !== null) return match;
      throw new Error(`Not said: ${pattern.source}\n${printed.slice(-4000)}`);
    }, 60_000);
  }

  /** The URL of what listens in it. */
  async url(): Promise<string> {
    const [, port = ''] = await this.says(/listens on http:\/\/localhost:(\d+)/);
    return `http://127.0.0.1:${port}`;
  }

  /** Highest resident memory so far, in MB. NaN where the system does not tell. */
  peakMb(): number {
    return this.#status('VmHWM');
  }

  residentMb(): number {
    return this.#status('VmRSS');
  }

  /**
   * Processor time used so far, in ms. Unlike the time on the wall it hardly depends on what else the machine does. NaN
   * where the system does not tell.
   */
  cpuMs(): number {
    try {
      const stat = readFileSync(`/proc/${this.child.pid}/stat`, 'utf8');
      // After the name, which may contain spaces: state, ten more fields, then user and system time in ticks.
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return (Number(fields[11]) + Number(fields[12])) * MS_PER_TICK;
    } catch {
      return Number.NaN;
    }
  }

  /** In bytes, after a full garbage collection. Only of a probed process. */
  async memory(): Promise<Memory> {
    const answer = new Promise<Memory>((resolve) => this.child.once('message', (message: Memory) => resolve(message)));
    this.child.send('memory');
    return answer;
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = new Promise((resolve) => this.child.once('exit', resolve));
    this.child.kill('SIGTERM');
    await ended;
  }

  #status(field: string): number {
    try {
      const status = readFileSync(`/proc/${this.child.pid}/status`, 'utf8');
      return Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) / 1024;
    } catch {
      return Number.NaN;
    }
  }
}
