import { spawn, type ChildProcess } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { appendFileSync, chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from './eventually.js';
import { Program } from './process.js';

const POSTGRES = '/usr/lib/postgresql';
const OLDEST_POSTGRES = 15;
const ACCOUNT = 'nexusrag';

/** What a crash of the server must not lose is on disk; a crash of the machine is not tried, so nothing is synced. */
const POSTGRES_CONF = `
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = 200
fsync = off
synchronous_commit = on
`;

/**
 * Waits until its input closes, also because this process was killed, and then leaves nothing behind: neither the
 * servers and their data nor programs that were given the folder in their environment.
 */
const KEEPER = `
trap '' INT TERM HUP
cat >/dev/null
for environment in $(grep -lsz -- "$1" /proc/[0-9]*/environ); do
  process=\${environment#/proc/}
  kill -KILL "\${process%/environ}"
done
if [ -s "$1/redis.pid" ]; then kill -KILL "$(cat "$1/redis.pid")"; fi
if [ "$(id -u)" = 0 ]; then runuser -u postgres -- "$2/pg_ctl" -D "$1/postgres" -m immediate stop
else "$2/pg_ctl" -D "$1/postgres" -m immediate stop; fi
rm -rf "$1"
`;

/** Folder of the Postgres programs that `scripts/services.sh` would use; undefined when this machine has none. */
export function postgresPrograms(): string | undefined {
  const versions = existsSync(POSTGRES) ? readdirSync(POSTGRES).map(Number) : [];
  const usable = versions.filter(
    (version) =>
      version >= OLDEST_POSTGRES &&
      existsSync(`${POSTGRES}/${version}/bin/initdb`) &&
      existsSync(`/usr/share/postgresql/${version}/extension/vector.control`),
  );
  return usable.length === 0 ? undefined : `${POSTGRES}/${Math.max(...usable)}/bin`;
}

/** A Postgres and a Redis that belong to one test, which may kill, stop and empty them. */
export class PrivateServices {
  readonly databaseUrl: string;
  readonly redisUrl: string;
  #redis: Program | undefined;
  readonly #keeper: ChildProcess;

  private constructor(
    /** For whatever else belongs to the test; vanishes with the services. */
    readonly folder: string,
    private readonly programs: string,
    private readonly postgresPort: number,
    private readonly redisPort: number,
  ) {
    this.databaseUrl = `postgres://${ACCOUNT}@127.0.0.1:${postgresPort}/postgres`;
    this.redisUrl = `redis://127.0.0.1:${redisPort}`;
    this.#keeper = spawn('bash', ['-c', KEEPER, 'keeper', folder, programs], {
      stdio: ['pipe', 'ignore', 'ignore'],
      detached: true,
    });
  }

  /** @param programs see `postgresPrograms`. */
  static async start(programs: string): Promise<PrivateServices> {
    const folder = mkdtempSync(join(tmpdir(), 'nexusrag-private-'));
    chmodSync(folder, 0o755);
    const services = new PrivateServices(folder, programs, await freePort(), await freePort());
    try {
      await services.#createPostgres();
      await services.startRedis();
      return services;
    } catch (error) {
      await services.discard();
      throw error;
    }
  }

  /** Ends every session as a crash does, and recovers from the log. Resolves when it serves again. */
  async restartPostgres(): Promise<void> {
    await this.#control('-m', 'immediate', 'restart');
  }

  /** Forgets everything, as after an eviction or a failover to an empty replica. */
  async flushRedis(): Promise<void> {
    await run(['redis-cli', '-p', String(this.redisPort), 'flushall']);
  }

  /** Ends it without a farewell. What it held is on disk until about a second before. */
  async killRedis(): Promise<void> {
    this.#redis?.kill('SIGKILL');
    await this.#redis?.exit();
    rmSync(join(this.folder, 'redis.pid'), { force: true });
  }

  async startRedis(): Promise<void> {
    const data = this.#redisData;
    mkdirSync(data, { recursive: true });
    const options = { port: this.redisPort, bind: '127.0.0.1', save: '', appendonly: 'yes', dir: data };
    const args = Object.entries({ ...options, pidfile: join(this.folder, 'redis.pid') });
    this.#redis = new Program(['redis-server', ...args.flatMap(([name, value]) => [`--${name}`, String(value)])]);
    await eventually(async () => {
      const { stdout } = await Program.run(['redis-cli', '-p', String(this.redisPort), 'ping']);
      if (stdout.trim() !== 'PONG') throw new Error(`Redis does not answer: ${this.#redis?.stdout ?? ''}`);
    });
  }

  /** Between `killRedis` and `startRedis`: it will come back empty. */
  loseRedisData(): void {
    rmSync(this.#redisData, { recursive: true, force: true });
  }

  /** It keeps its connections and answers nobody, until `resumeRedis`. */
  pauseRedis(): void {
    this.#redis?.kill('SIGSTOP');
  }

  resumeRedis(): void {
    this.#redis?.kill('SIGCONT');
  }

  /** Stops both and deletes their data. */
  async discard(): Promise<void> {
    this.resumeRedis();
    await this.killRedis();
    const gone = new Promise((resolve) => this.#keeper.once('close', resolve));
    this.#keeper.stdin?.end();
    await gone;
  }

  get #postgresData(): string {
    return join(this.folder, 'postgres');
  }

  get #redisData(): string {
    return join(this.folder, 'redis');
  }

  async #createPostgres(): Promise<void> {
    const data = this.#postgresData;
    const account = ['-U', ACCOUNT, '--auth=trust'];
    mkdirSync(data, { mode: 0o700 });
    if (isRoot()) await run(['chown', 'postgres:', data]);
    await this.#postgres('initdb', '-D', data, ...account, '--encoding=UTF8', '--locale=C.UTF-8', '--no-sync');
    appendFileSync(join(data, 'postgresql.conf'), POSTGRES_CONF);
    await this.#control('-o', `-p ${this.postgresPort}`, 'start');
  }

  /** With a log of its own: a server that inherited our pipes would keep them open. */
  #control(...args: string[]): Promise<void> {
    const log = join(this.#postgresData, 'server.log');
    return this.#postgres('pg_ctl', '-D', this.#postgresData, '-l', log, '-w', '-t', '60', ...args);
  }

  /** Postgres refuses to run as root, so there it runs under the account that its package made. */
  #postgres(program: string, ...args: string[]): Promise<void> {
    const command = [join(this.programs, program), ...args];
    return run(isRoot() ? ['runuser', '-u', 'postgres', '--', ...command] : command);
  }
}

async function run(command: readonly string[]): Promise<void> {
  const { code, stdout, stderr } = await Program.run(command);
  if (code !== 0) throw new Error(`${command.join(' ')} ended with ${code}: ${stdout} ${stderr}`);
}

function isRoot(): boolean {
  return process.getuid?.() === 0;
}

/** Below the ports that the system gives to clients: one of those could take it while the server is down. */
async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(20_000, 32_000);
    const taken = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1');
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
      socket.once('connect', () => socket.destroy());
    });
    if (!taken) return port;
  }
}
