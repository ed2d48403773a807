import type { ArgumentMetadata, PipeTransform } from '@nestjs/common';
import { ValidateBy } from 'class-validator';
import { isUuid } from '../../kernel/ids.js';
import { invalidRequest } from './invalid-request.js';

const MESSAGE = 'must be a UUID';

/** For inputs that are stored or looked up as one. Any version will do. */
export function IsUuid(): PropertyDecorator {
  return ValidateBy({
    name: 'isUuid',
    validator: {
      validate: (value) => typeof value === 'string' && isUuid(value),
      defaultMessage: () => `$property ${MESSAGE}`,
    },
  });
}

/** A path value that is a UUID, as the database prints it. @throws REQUEST_VALIDATION_ERROR */
export const UuidParam: PipeTransform<string, string> = {
  transform(value: string, { data = '' }: ArgumentMetadata): string {
    if (!isUuid(value)) throw invalidRequest([{ loc: ['path', data], msg: `${data} ${MESSAGE}`, type: 'isUuid' }]);
    return value.toLowerCase();
  },
};
