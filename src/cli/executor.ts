import type { Abstract, INestApplicationContext } from '@nestjs/common';
import type { ControlRequest, ControlResponse } from '../app/control-socket.js';
import type { Infrastructure } from '../app/infrastructure.js';
import { runInContext, systemContext } from '../kernel/context.js';
import { Migrator } from '../platform/db/index.js';
import type { Command, CommandContext } from './command.js';
import { asFailure, CommandFailure, EXIT } from './failure.js';
import { COMMANDS } from './registry.js';

/** A command's context over an application that is open already. */
export function servingContext(app: INestApplicationContext, infrastructure: Infrastructure): CommandContext {
  return {
    serving: true,
    settings: infrastructure.settings,
    infrastructure: () => Promise.resolve(infrastructure),
    application: () => Promise.resolve(app),
    migrator: () => Promise.resolve(new Migrator(infrastructure.database.dataSource)),
    service: <T>(type: Abstract<T>) => Promise.resolve(app.get<T>(type, { strict: false })),
    asSystem: (fn, tenantId) => runInContext(systemContext(infrastructure.ids.uuid(), tenantId), fn),
  };
}

/** Executes what arrives through the control socket, inside the server. Never rejects. */
export function executor(
  app: INestApplicationContext,
  infrastructure: Infrastructure,
): (request: ControlRequest) => Promise<ControlResponse> {
  const context = servingContext(app, infrastructure);
  return (request) => respond(request, context, COMMANDS);
}

export async function respond(
  { command: name, args }: ControlRequest,
  context: CommandContext,
  commands: readonly Command[],
): Promise<ControlResponse> {
  try {
    const command = commands.find((candidate) => candidate.name === name);
    if (command === undefined || command.local) {
      throw new CommandFailure('UNKNOWN_COMMAND', 'The running server does not know this command.', EXIT.usage);
    }
    return { ok: true, result: await command.execute(context, args) };
  } catch (error) {
    const { code, message, exitCode } = asFailure(error);
    return { ok: false, code, message, exitCode };
  }
}
