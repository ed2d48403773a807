import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';
import type { Operation, Route } from '../../kernel/operation.js';
import { successStatuses } from '../../platform/http/index.js';
import { isReplayed, takesKey } from '../../features/idempotency/index.js';
import { ERRORS } from '../catalogue.js';

type Schema = Record<string, unknown>;

const META: Schema = {
  type: 'object',
  required: ['request_id', 'api_version'],
  properties: {
    request_id: { type: 'string', description: 'Also in the header X-Request-Id.' },
    api_version: { type: 'string', enum: ['v1'] },
    page: {
      type: 'object',
      description: 'Lists only.',
      properties: { next_cursor: { type: 'string', nullable: true }, has_more: { type: 'boolean' } },
    },
  },
};

const ERROR_BODY: Schema = {
  type: 'object',
  required: ['error', 'meta'],
  properties: {
    error: {
      type: 'object',
      required: ['code', 'message'],
      properties: {
        code: { type: 'string' },
        message: { type: 'string' },
        details: { type: 'object', additionalProperties: true },
      },
    },
    meta: { $ref: '#/components/schemas/Meta' },
  },
};

/** Every route may answer these; more come from its own declaration. */
const EVERYWHERE = ['INTERNAL_ERROR', 'SERVICE_UNAVAILABLE'];
const AUTHENTICATED = [
  'AUTH_UNAUTHORIZED',
  'AUTH_REVOKED_KEY',
  'AUTH_EXPIRED_KEY',
  'AUTH_INACTIVE_KEY',
  'AUTH_FORBIDDEN',
  'AUTH_UNAVAILABLE',
  'residency.mismatch',
  'residency.unavailable',
  'RATE_LIMITED',
  'RATE_LIMIT_UNAVAILABLE',
];
const WITH_BODY = ['TENANT_ID_NOT_ALLOWED', 'REQUEST_VALIDATION_ERROR', 'PAYLOAD_TOO_LARGE', 'UNSUPPORTED_MEDIA_TYPE'];
const WITH_KEY = ['IDEMPOTENCY_KEY_INVALID', 'IDEMPOTENCY_KEY_CONFLICT'];
const REPLAYED = ['IDEMPOTENCY_IN_PROGRESS', 'IDEMPOTENCY_RESULT_LOST'];
/** Statuses that the platform promises on every guarded operation, whichever features are switched on. */
const PROMISED = [400, 401, 402, 403, 404, 409, 422, 429, 500, 503];

/** Codes that an operation can answer. */
export function errorCodesOf({ operation, method }: Route): string[] {
  return [
    ...EVERYWHERE,
    ...(operation.role === 'public' ? [] : AUTHENTICATED),
    ...(operation.authority === undefined ? [] : ['PLATFORM_OPERATOR_REQUIRED']),
    ...(operation.feature === undefined ? [] : ['FEATURE_NOT_ENABLED']),
    ...(operation.role === 'public' || operation.unmetered === true ? [] : ['QUOTA_EXCEEDED']),
    ...(operation.body === undefined ? [] : WITH_BODY),
    ...(operation.body === undefined && method === 'GET' ? ['REQUEST_VALIDATION_ERROR'] : []),
    ...(takesKey(method, operation) ? WITH_KEY : []),
    ...(takesKey(method, operation) && isReplayed(operation) ? REPLAYED : []),
    ...operation.errors,
  ];
}

/** The description of the API: what Nest reads from the handlers, put into our envelopes, with every error. */
export function openApiDocument(nest: INestApplication, routes: readonly Route[]): OpenAPIObject {
  const config = new DocumentBuilder()
    .setTitle('NexusRAG API')
    .setDescription(
      'Answers over your documents: streamed, cited, governed. Errors: docs/generated/errors.md. What is under /v1/providers and /v1/vector-dbs answers under /api as well, with the bare payload.',
    )
    .setVersion('1')
    .addServer('/')
    .addBearerAuth({ type: 'http', scheme: 'bearer', bearerFormat: 'API key', description: 'nrgk_…' }, 'BearerAuth')
    .build();
  const document = SwaggerModule.createDocument(nest, config, { operationIdFactory: (_controller, method) => method });
  document.components = { ...document.components, schemas: { ...document.components?.schemas } };
  Object.assign(document.components.schemas ?? {}, { Meta: META, ErrorBody: ERROR_BODY });
  for (const route of routes) describe(document, route);
  return sorted(document) as OpenAPIObject;
}

interface Described {
  parameters?: Schema[];
  responses: Record<string, Schema>;
}

function describe(document: OpenAPIObject, route: Route): void {
  const path = route.path.replace(/:(\w+)/g, '{$1}');
  const entry = document.paths[path] as Record<string, Described> | undefined;
  const operation = entry?.[route.method.toLowerCase()];
  if (operation === undefined) throw new Error(`${route.method} ${route.path} is missing from the description.`);
  if (takesKey(route.method, route.operation)) {
    operation.parameters = [...(operation.parameters ?? []), keyParameter(route.operation)];
  }
  const successes = successStatuses(route.operation).map(String);
  operation.responses = withoutOtherSuccesses(operation.responses, successes);
  if (route.operation.response === 'json') for (const status of successes) envelop(operation.responses[status]);
  const codes = errorCodesOf(route);
  const statuses = new Set([...codes.flatMap(statusesOf), ...(route.operation.role === 'public' ? [] : PROMISED)]);
  for (const status of [...statuses].sort((a, b) => a - b)) {
    operation.responses[String(status)] = errorResponse(codes.filter((code) => statusesOf(code).includes(status)));
  }
}

function keyParameter(operation: Operation): Schema {
  return {
    name: 'Idempotency-Key',
    in: 'header',
    required: false,
    description: isReplayed(operation)
      ? 'Makes repeating the request safe: of all with one key the first takes effect, the others get its answer.'
      : 'A question that is repeated with the same key in its session is stored once.',
    schema: { type: 'string', minLength: 1, maxLength: 128 },
  };
}

/** Swagger's plugin adds the status that Nest would choose by itself. */
function withoutOtherSuccesses(
  responses: Record<string, Schema>,
  successes: readonly string[],
): Record<string, Schema> {
  return Object.fromEntries(
    Object.entries(responses).filter(([status]) => !status.startsWith('2') || successes.includes(status)),
  );
}

function envelop(response: Schema | undefined): void {
  const content = (response as { content?: Record<string, { schema: Schema }> } | undefined)?.content;
  for (const media of Object.values(content ?? {})) {
    media.schema = {
      type: 'object',
      required: ['data', 'meta'],
      properties: { data: media.schema, meta: { $ref: '#/components/schemas/Meta' } },
    };
  }
}

function errorResponse(codes: readonly string[]): Schema {
  const examples = Object.fromEntries(
    codes.map((code) => [
      code,
      { value: { error: { code, message: ERRORS.get(code)?.message }, meta: { request_id: '…', api_version: 'v1' } } },
    ]),
  );
  return {
    description: codes.length === 0 ? 'See the error catalogue.' : codes.join(', '),
    content: {
      'application/json': {
        schema: { $ref: '#/components/schemas/ErrorBody' },
        ...(codes.length === 0 ? {} : { examples }),
      },
    },
  };
}

function statusesOf(code: string): number[] {
  const spec = ERRORS.get(code);
  if (spec === undefined) throw new Error(`An operation declares ${code}, which is not in the catalogue.`);
  return [spec.status, ...(spec.alternatives ?? [])];
}

/** Objects with their keys in order, so that the file changes only when the API does. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, child]) => [key, sorted(child)]),
  );
}
