import { invalidRequest } from '../../../platform/http/index.js';

const INTEGER = /^-?(0|[1-9]\d{0,14})$/;

/** @throws REQUEST_VALIDATION_ERROR for what cannot be an id of a vector database. */
export function vectorDbIdIn(path: string): number {
  if (!INTEGER.test(path)) throw invalidRequest([{ loc: ['path', 'id'], msg: 'must be an integer', type: 'isInt' }]);
  return Number(path);
}
