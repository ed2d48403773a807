import type { ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { commonErrors } from '../../kernel/common-errors.js';
import type { AppError } from '../../kernel/errors.js';
import type { Ids } from '../../kernel/ids.js';
import type { Log } from '../../kernel/log.js';
import { errorBody } from './error-envelope.filter.js';

interface ClientError extends Error {
  readonly code?: string;
}

/**
 * Listener of the server's `clientError`: answers what Node could not read as HTTP. There is no request then, so no
 * middleware, filter or access log sees it; without this its sender would get a bare status line.
 */
export function unreadableRequest(ids: Ids, log: Log): (error: ClientError, socket: Duplex) => void {
  return (error, socket) => {
    if (!socket.writable || error.code === 'ECONNRESET' || answerBegun(socket)) {
      socket.destroy();
      return;
    }
    const failure = failureOf(error);
    const requestId = ids.uuid();
    const body = JSON.stringify(errorBody(failure, { requestId, apiVersion: 'v1', trail: [] }));
    log.info({ request_id: requestId, code: failure.code, reason: error.code }, 'unreadable request');
    socket.end(
      [
        `HTTP/1.1 ${failure.status} ${failure.code}`,
        'Content-Type: application/json; charset=utf-8',
        `Content-Length: ${Buffer.byteLength(body)}`,
        `X-Request-Id: ${requestId}`,
        'Connection: close',
        '',
        body,
      ].join('\r\n'),
    );
  };
}

/** Bytes in the middle of another answer would corrupt it. */
function answerBegun(socket: Duplex & { readonly _httpMessage?: ServerResponse | null }): boolean {
  return socket._httpMessage?.headersSent === true;
}

function failureOf({ code }: ClientError): AppError {
  if (code === 'HPE_HEADER_OVERFLOW') return commonErrors.REQUEST_HEADER_FIELDS_TOO_LARGE();
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT')
    return commonErrors.BAD_REQUEST({ message: 'The request took too long to arrive.' });
  return commonErrors.BAD_REQUEST({ message: 'This is not a valid HTTP request.' });
}
