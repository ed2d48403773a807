import { expect, it } from '@jest/globals';
import { plainToInstance } from 'class-transformer';
import { IsOptional, validateSync } from 'class-validator';
import { IsFlag } from './flag.js';

class Query {
  @IsOptional()
  @IsFlag()
  force?: boolean;
}

it.each([
  ['true', true],
  ['1', true],
  ['false', false],
  ['0', false],
  [undefined, undefined],
])('a flag %j of a query is %j', (given, meant) => {
  const query = plainToInstance(Query, given === undefined ? {} : { force: given });
  expect([validateSync(query), query.force]).toEqual([[], meant]);
});

it.each(['', 'yes', 'TRUE', ' true', '2', ['true', 'false'], { a: 'true' }])('%j is no flag', (given) => {
  const [fault] = validateSync(plainToInstance(Query, { force: given }));
  expect(fault?.constraints).toEqual({ isBoolean: 'force must be true or false' });
});
