import { RequestMethod } from '@nestjs/common';
import { METHOD_METADATA, PATH_METADATA } from '@nestjs/common/constants.js';
import { DiscoveryService, MetadataScanner } from '@nestjs/core';
import type { Operation, Route } from '../../kernel/operation.js';
import { OPERATION } from './operation.decorator.js';

type Match =
  | { readonly route: Route; readonly params: Record<string, string> }
  | { readonly allow: readonly string[] }
  | undefined;

/** A segment of paths. What is written out goes before what is a parameter. */
interface Branch {
  readonly literals: Map<string, Branch>;
  parameter: Branch | undefined;
  /** Those that end here, by method. */
  readonly routes: Map<string, Route>;
}

/** Every route of the application, read from the controllers once at start. */
export class RouteManifest {
  readonly #root = branch();

  constructor(readonly routes: readonly Route[]) {
    for (const route of routes) {
      let end = this.#root;
      for (const segment of split(route.path)) end = grow(end, segment);
      end.routes.set(route.method, route);
    }
  }

  /** @throws Error naming a handler without @Operation, or two operations with one id. */
  static discover(discovery: DiscoveryService, scanner: MetadataScanner): RouteManifest {
    const routes: Route[] = [];
    for (const { instance, metatype } of discovery.getControllers()) {
      if (instance === null || typeof instance !== 'object' || metatype === null) continue;
      const prototype = Object.getPrototypeOf(instance) as Record<string, object>;
      for (const name of scanner.getAllMethodNames(prototype)) {
        const handler = prototype[name] as object;
        const path = Reflect.getMetadata(PATH_METADATA, handler) as string | undefined;
        if (path === undefined) continue;
        const operation = Reflect.getMetadata(OPERATION, handler) as Operation | undefined;
        if (operation === undefined) throw new Error(`${metatype.name}.${name} has no @Operation.`);
        const method = RequestMethod[Reflect.getMetadata(METHOD_METADATA, handler) as number] ?? 'GET';
        const base = Reflect.getMetadata(PATH_METADATA, metatype) as string;
        routes.push({ method, path: `/${[...split(base), ...split(path)].join('/')}`, operation });
      }
    }
    const ids = routes.map((route) => route.operation.id);
    const twice = ids.find((id, index) => ids.indexOf(id) !== index);
    if (twice !== undefined) throw new Error(`Two handlers declare the operation ${twice}.`);
    return new RouteManifest(routes.sort((a, b) => (a.path + a.method < b.path + b.method ? -1 : 1)));
  }

  /**
   * The route for a request, or the methods that its path does support, or nothing. HEAD matches GET.
   *
   * @throws URIError for a parameter whose encoding is malformed.
   */
  match(method: string, path: string): Match {
    const segments = segmentsOf(path);
    const ends: Branch[] = [];
    follow(this.#root, segments, 0, ends);
    const wanted = method === 'HEAD' ? 'GET' : method;
    for (const { routes } of ends) {
      const route = routes.get(wanted);
      if (route !== undefined) return { route, params: paramsOf(route, segments) };
    }
    const methods = ends.flatMap(({ routes }) => [...routes.keys()]);
    if (methods.length === 0) return undefined;
    return { allow: [...new Set(methods.flatMap((m) => (m === 'GET' ? ['GET', 'HEAD'] : [m])))].sort() };
  }
}

function split(path: string): string[] {
  return path.split('/').filter((segment) => segment !== '');
}

/** An empty segment stays one, which no route has; a slash at the end is none. */
function segmentsOf(path: string): string[] {
  const segments = path.split('/').slice(1);
  return segments.at(-1) === '' ? segments.slice(0, -1) : segments;
}

function branch(): Branch {
  return { literals: new Map(), parameter: undefined, routes: new Map() };
}

function grow(parent: Branch, segment: string): Branch {
  if (segment.startsWith(':')) return (parent.parameter ??= branch());
  const known = parent.literals.get(segment) ?? branch();
  parent.literals.set(segment, known);
  return known;
}

/** Collects where the segments can end. */
function follow(from: Branch, segments: readonly string[], at: number, ends: Branch[]): void {
  const segment = segments[at];
  if (segment === undefined) {
    ends.push(from);
    return;
  }
  const literal = from.literals.get(segment);
  if (literal !== undefined) follow(literal, segments, at + 1, ends);
  if (from.parameter !== undefined && segment !== '') follow(from.parameter, segments, at + 1, ends);
}

function paramsOf({ path }: Route, segments: readonly string[]): Record<string, string> {
  const params: Record<string, string> = {};
  for (const [at, part] of split(path).entries()) {
    if (part.startsWith(':')) params[part.slice(1)] = decodeURIComponent(segments[at] ?? '');
  }
  return params;
}
