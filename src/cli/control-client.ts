import { connect } from 'node:net';
import { controlAddress, controlResponse, type ControlFolder, type ControlRequest } from '../app/control-socket.js';
import { CommandFailure } from './failure.js';

/**
 * Has the server that holds the data folder execute a command, and returns its result.
 *
 * @throws CommandFailure as the server reports it, or SERVER_UNREACHABLE.
 */
export async function askServer(folder: ControlFolder, holder: number, request: ControlRequest): Promise<unknown> {
  const line = await exchange(controlAddress(folder), `${JSON.stringify(request)}\n`, holder);
  const response = controlResponse.safeParse(parsed(line));
  if (!response.success) throw unreachable(holder, 'ended before it answered');
  if (response.data.ok) return response.data.result;
  throw new CommandFailure(response.data.code, response.data.message, response.data.exitCode);
}

function exchange(address: string, line: string, holder: number): Promise<string> {
  return new Promise((resolve, reject) => {
    let received = '';
    const socket = connect(address, () => socket.write(line));
    socket.setEncoding('utf8');
    socket.on('data', (text: string) => (received += text));
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (received === '') reject(unreachable(holder, reason(error)));
    });
    socket.on('close', () => resolve(received));
  });
}

function reason({ code }: NodeJS.ErrnoException): string {
  return code === 'EACCES' ? 'belongs to another user' : 'takes no commands, as while it starts or stops';
}

function unreachable(holder: number, why: string): CommandFailure {
  const message = `The data folder is in use by process ${holder}, which ${why}. Try again, or stop that process.`;
  return new CommandFailure('SERVER_UNREACHABLE', message);
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
