import type { Route } from '../../src/kernel/operation.js';
import { read } from './sources.js';

interface Parameter {
  readonly in: string;
  readonly name: string;
}

interface Media {
  readonly schema?: { readonly $ref?: string };
  readonly examples?: Readonly<Record<string, unknown>>;
}

interface Content {
  readonly content?: Readonly<Record<string, Media>>;
}

export interface Described {
  readonly operationId: string;
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: Content;
  readonly responses: Readonly<Record<string, Content>>;
  readonly security?: readonly unknown[];
}

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Described>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, { readonly properties?: object }>> };
}

const DOCUMENT = JSON.parse(read('openapi.json')) as Document;

/** Every operation of the committed description as `METHOD /path`. */
export const DESCRIBED: ReadonlyMap<string, Described> = new Map(
  Object.entries(DOCUMENT.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => [`${method.toUpperCase()} ${path}`, operation] as const),
  ),
);

/** How the description names a route. */
export function described({ method, path }: Route): string {
  return `${method} ${path.replaceAll(/:(\w+)/g, '{$1}')}`;
}

/** The operation's inputs as `path.id`, `query.limit`, `header.if-match`, `body.name`. */
export function inputsOf({ parameters = [], requestBody }: Described): string[] {
  const bodies = Object.values(requestBody?.content ?? {}).flatMap(({ schema }) => {
    const name = schema?.$ref?.split('/').pop() ?? '';
    return Object.keys(DOCUMENT.components.schemas[name]?.properties ?? {});
  });
  return [...parameters.map(({ in: place, name }) => `${place}.${name}`), ...bodies.map((name) => `body.${name}`)];
}

/** Error codes that the operation documents, with their status. */
export function errorsOf({ responses }: Described): { code: string; status: number }[] {
  return Object.entries(responses).flatMap(([status, { content }]) =>
    Object.values(content ?? {}).flatMap(({ examples }) =>
      Object.keys(examples ?? {}).map((code) => ({ code, status: Number(status) })),
    ),
  );
}
