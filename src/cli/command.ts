import type { Abstract, INestApplicationContext } from '@nestjs/common';
import type { z } from 'zod';
import type { Infrastructure } from '../app/infrastructure.js';
import type { Settings } from '../kernel/settings.js';
import type { Migrator } from '../platform/db/index.js';
import { argumentFaults, type CommandUsage } from './arguments.js';
import { CommandFailure, EXIT } from './failure.js';
import type { View } from './view.js';

/** What a command may use. Each part is opened when it is first asked for. */
export interface CommandContext {
  /** True inside the server process, reached through its control socket. */
  readonly serving: boolean;
  /** @throws SettingsError */
  readonly settings: Settings;
  infrastructure(): Promise<Infrastructure>;
  migrator(): Promise<Migrator>;
  /** The application over a database whose migrations are applied. @throws MigrationsPending */
  application(): Promise<INestApplicationContext>;
  /** A service of the application. */
  service<T>(type: Abstract<T>): Promise<T>;
  /** Runs as the system, in a tenant when one is given. */
  asSystem<T>(fn: () => Promise<T>, tenantId?: string): Promise<T>;
}

interface CommandSpec<A extends z.ZodObject, R extends z.ZodType> {
  /** Words as typed, for example `keys create`. */
  readonly name: string;
  readonly summary: string;
  /** Arguments given by position, in order; all others are options. */
  readonly positional?: readonly (keyof A['shape'] & string)[];
  readonly args: A;
  /** For a command that works on files of whoever types it: it runs where it is typed, even while a server runs. */
  readonly local?: boolean;
  /** JSON; what `--json` prints and what travels through the control socket. */
  readonly result: R;
  run(context: CommandContext, args: z.output<A>): Promise<z.output<R>>;
  view(result: z.output<R>): View;
  /** For commands whose result can be bad news. */
  exitCode?(result: z.output<R>): number;
}

/** A command as the program and the control socket know it: only JSON goes in and out. */
export interface Command extends CommandUsage {
  readonly local: boolean;
  /** @throws CommandFailure for arguments that do not fit; whatever the command throws. */
  execute(context: CommandContext, args: unknown): Promise<unknown>;
  /** @throws CommandFailure for a result of another version of this program. */
  present(result: unknown): { readonly view: View; readonly exitCode: number };
}

export function defineCommand<A extends z.ZodObject, R extends z.ZodType>(spec: CommandSpec<A, R>): Command {
  return {
    name: spec.name,
    summary: spec.summary,
    positional: spec.positional ?? [],
    args: spec.args,
    local: spec.local ?? false,
    execute: async (context, args) => {
      const parsed = spec.args.safeParse(args);
      if (!parsed.success)
        throw new CommandFailure('USAGE', argumentFaults(parsed.error, spec.positional ?? []), EXIT.usage);
      return spec.run(context, parsed.data);
    },
    present: (result) => {
      const parsed = spec.result.safeParse(result);
      if (!parsed.success) {
        throw new CommandFailure(
          'VERSION_MISMATCH',
          'The running server is of another version. Restart it and repeat.',
        );
      }
      return { view: spec.view(parsed.data), exitCode: spec.exitCode?.(parsed.data) ?? EXIT.ok };
    },
  };
}
