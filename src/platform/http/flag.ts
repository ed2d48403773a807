import { applyDecorators } from '@nestjs/common';
import { Transform } from 'class-transformer';
import { IsBoolean } from 'class-validator';

const FLAGS: ReadonlyMap<unknown, boolean> = new Map<unknown, boolean>([
  ['true', true],
  ['1', true],
  ['false', false],
  ['0', false],
]);

/** For a boolean in a query, where everything is text: what passes is a boolean, so that no handler compares words. */
export function IsFlag(): PropertyDecorator {
  return applyDecorators(
    Transform(({ value }: { value: unknown }): unknown => FLAGS.get(value) ?? value),
    IsBoolean({ message: '$property must be true or false' }),
  );
}
