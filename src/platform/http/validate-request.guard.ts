import { Inject, Injectable, type CanActivate, type ExecutionContext, type Type } from '@nestjs/common';
import { ROUTE_ARGS_METADATA } from '@nestjs/common/constants.js';
import { RouteParamtypes } from '@nestjs/common/enums/route-paramtypes.enum.js';
import { plainToInstance } from 'class-transformer';
import { validate } from 'class-validator';
import type { Request, Response } from 'express';
import { commonErrors } from '../../kernel/common-errors.js';
import { currentContext } from '../../kernel/context.js';
import type { Operation } from '../../kernel/operation.js';
import { httpSettings, type HttpSettings } from './http.settings.js';
import { faultsOf, invalidRequest, type FieldFault } from './invalid-request.js';
import { structureFault, textFault, type JsonFault } from './json-limits.js';
import { BYTES } from './operation.decorator.js';
import { jsonReader, multipartReader, type BodyReader } from './read-body.js';

interface HandlerInputs {
  readonly body: Type<object> | undefined;
  readonly query: Type<object> | undefined;
}

/**
 * Stage 9. Reads the body and checks body and query against the handler's DTOs, after the role check and before
 * anything is reserved or counted: a malformed request changes nothing. Handlers receive the checked instances.
 */
@Injectable()
export class ValidateRequest implements CanActivate {
  readonly #json: BodyReader;
  readonly #multipart: BodyReader;
  /** Per handler function; bounded by the number of routes. */
  readonly #inputs = new Map<unknown, HandlerInputs>();

  constructor(@Inject(httpSettings.token) settings: HttpSettings) {
    this.#json = jsonReader(settings);
    this.#multipart = multipartReader(settings);
  }

  canActivate(execution: ExecutionContext): boolean | Promise<boolean> {
    const { operation, trail } = currentContext();
    trail.push('validation');
    const http = execution.switchToHttp();
    const request = http.getRequest<Request>();
    const inputs = this.#inputsOf(execution);
    checkPath(request.params);
    if (operation?.body === undefined && inputs.query === undefined) return true;
    return this.#check(operation?.body, inputs, request, http.getResponse<Response>());
  }

  async #check(
    kind: Operation['body'],
    { body, query }: HandlerInputs,
    request: Request,
    response: Response,
  ): Promise<boolean> {
    if (kind === 'binary' && request.is(BYTES) !== false) request.body = {};
    else if (kind !== undefined) {
      await (kind === 'multipart' ? this.#multipart : this.#json)(request, response);
      refuse(structureFault(request.body), ['body']);
      const named = isObject(request.body) && Object.hasOwn(request.body, 'tenant_id');
      if (named && currentContext().operation?.onTenant !== true) throw commonErrors.TENANT_ID_NOT_ALLOWED();
      if (body !== undefined) request.body = await checked(body, request.body, ['body']);
      refuse(textFault(request.body), ['body']);
    }
    if (query !== undefined) {
      const given = { ...request.query };
      refuse(structureFault(given), ['query']);
      const value = await checked(query, given, ['query']);
      refuse(textFault(value), ['query']);
      Object.defineProperty(request, 'query', { value, configurable: true });
    }
    return true;
  }

  #inputsOf(execution: ExecutionContext): HandlerInputs {
    const handler = execution.getHandler();
    const known = this.#inputs.get(handler);
    if (known !== undefined) return known;
    const controller = execution.getClass();
    const types = (Reflect.getMetadata('design:paramtypes', controller.prototype as object, handler.name) ??
      []) as Type<object>[];
    const parameters = (Reflect.getMetadata(ROUTE_ARGS_METADATA, controller, handler.name) ?? {}) as Record<
      string,
      { index: number }
    >;
    const typeOf = (kind: RouteParamtypes): Type<object> | undefined => {
      const entry = Object.entries(parameters).find(([key]) => key.startsWith(`${kind}:`));
      return entry === undefined ? undefined : types[entry[1].index];
    };
    const inputs = { body: typeOf(RouteParamtypes.BODY), query: typeOf(RouteParamtypes.QUERY) };
    this.#inputs.set(handler, inputs);
    return inputs;
  }
}

const MAX_PATH_VALUE = 512;

/** A path value that cannot name anything is answered like one that names nothing. */
function checkPath(params: Readonly<Record<string, unknown>>): void {
  for (const value of Object.values(params)) {
    if (typeof value === 'string' && (value.includes('\0') || value.length > MAX_PATH_VALUE)) {
      throw commonErrors.NOT_FOUND();
    }
  }
}

function refuse(fault: JsonFault | undefined, loc: readonly string[]): void {
  if (fault !== undefined) throw invalidRequest([{ loc, ...fault }]);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

async function checked(type: Type<object>, value: unknown, loc: readonly string[]): Promise<object> {
  if (!isObject(value)) throw invalidRequest([{ loc, msg: 'must be a JSON object', type: 'object_type' }]);
  const instance = plainToInstance(type, value);
  const errors = await validate(instance, { whitelist: true, forbidNonWhitelisted: true, stopAtFirstError: true });
  const faults: FieldFault[] = faultsOf(errors, loc);
  if (faults.length > 0) throw invalidRequest(faults);
  return instance;
}
