import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from './eventually.js';

/** The environment of a stranger: what a shell has, and none of our settings. */
function cleanEnvironment(): Record<string, string> {
  const { PATH = '', HOME = '', TMPDIR } = process.env;
  return { PATH, HOME, ...(TMPDIR === undefined ? {} : { TMPDIR }) };
}

/** A program of the build, running or ended. */
export class Program {
  stdout = '';
  stderr = '';
  readonly #child: ChildProcess;
  readonly #exit: Promise<number | string>;

  /** @param command such as `node dist/src/main.js`, without a shell. */
  constructor(command: readonly string[], env: Readonly<Record<string, string>> = {}) {
    const [file = '', ...args] = command;
    this.#child = spawn(file, args, { env: { ...cleanEnvironment(), ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child.stdout?.on('data', (data: Buffer) => (this.stdout += data.toString()));
    this.#child.stderr?.on('data', (data: Buffer) => (this.stderr += data.toString()));
    this.#exit = new Promise((resolve) => {
      this.#child.once('close', (code, signal) => resolve(code ?? signal ?? 'unknown'));
    });
  }

  /** Exit code, or the name of the signal that ended it. */
  exit(): Promise<number | string> {
    return this.#exit;
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  get ended(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** Waits for text on stdout. @throws with everything printed when the program ends without it. */
  async says(pattern: RegExp, withinMs = 180_000): Promise<RegExpExecArray> {
    return eventually(() => {
      const match = pattern.exec(this.stdout);
      if (match !== null) return match;
      throw new Error(`Not said: ${pattern.source}. stdout: ${this.stdout} stderr: ${this.stderr}`);
    }, withinMs);
  }

  /** Runs a command to its end. */
  static async run(
    command: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ): Promise<{ code: number | string; stdout: string; stderr: string }> {
    const program = new Program(command, env);
    const code = await program.exit();
    return { code, stdout: program.stdout, stderr: program.stderr };
  }
}

export const NODE = process.execPath;

/** The product on its embedded database, in a folder of its own. */
export class EmbeddedServer {
  private constructor(
    readonly program: Program,
    readonly port: number,
    readonly dataDir: string,
  ) {}

  static async start(env: Record<string, string> = {}, dataDir = EmbeddedServer.folder()): Promise<EmbeddedServer> {
    const program = new Program([NODE, 'dist/src/main.js'], { PORT: '0', NEXUSRAG_DATA_DIR: dataDir, ...env });
    const [, port = ''] = await program.says(/listens on http:\/\/localhost:(\d+)[\s\S]*Press Ctrl-C/);
    return new EmbeddedServer(program, Number(port), dataDir);
  }

  static folder(): string {
    return mkdtempSync(join(tmpdir(), 'nexusrag-acceptance-'));
  }

  get key(): string {
    return readFileSync(join(this.dataDir, 'demo-admin-key'), 'utf8').trim();
  }

  /** Runs shell text that was written for a first start on the default port and folder. */
  async shell(script: string): Promise<{ code: number | string; stdout: string; stderr: string }> {
    const here = script
      .replaceAll('localhost:8000', `localhost:${this.port}`)
      .replaceAll('var/demo-admin-key', join(this.dataDir, 'demo-admin-key'));
    return Program.run(['bash', '-euo', 'pipefail', '-c', here], {
      API_KEY: this.key,
      ADMIN_API_KEY: this.key,
      NEXUSRAG_DATA_DIR: this.dataDir,
    });
  }

  cli(...args: string[]): ReturnType<typeof Program.run> {
    return Program.run([NODE, 'dist/src/cli.js', ...args], { NEXUSRAG_DATA_DIR: this.dataDir });
  }

  /** @returns the exit code. */
  async stop(signal: NodeJS.Signals = 'SIGINT'): Promise<number | string> {
    this.program.kill(signal);
    return this.program.exit();
  }

  async discard(): Promise<void> {
    if (!this.program.ended) await this.stop('SIGKILL');
    rmSync(this.dataDir, { recursive: true, force: true });
  }
}
