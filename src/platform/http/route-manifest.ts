import { RequestMethod } from '@nestjs/common';
import { METHOD_METADATA, PATH_METADATA } from '@nestjs/common/constants.js';
import { DiscoveryService, MetadataScanner } from '@nestjs/core';
import type { Operation, Route } from '../../kernel/operation.js';
import { OPERATION } from './operation.decorator.js';

type Match = { readonly route: Route } | { readonly allow: readonly string[] } | undefined;

interface Entry extends Route {
  readonly segments: readonly string[];
}

/** Every route of the application, read from the controllers once at start. */
export class RouteManifest {
  readonly #entries: readonly Entry[];

  constructor(readonly routes: readonly Route[]) {
    this.#entries = routes.map((route) => ({ ...route, segments: split(route.path) }));
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

  /** The route for a request, or the methods that its path does support, or nothing. HEAD matches GET. */
  match(method: string, path: string): Match {
    const segments = split(path);
    const candidates = this.#entries.filter(
      (entry) =>
        entry.segments.length === segments.length &&
        entry.segments.every((part, index) => part.startsWith(':') || part === segments[index]),
    );
    const wanted = method === 'HEAD' ? 'GET' : method;
    const exact = candidates
      .filter((entry) => entry.method === wanted)
      .sort((a, b) => parameters(a) - parameters(b))[0];
    if (exact !== undefined) return { route: exact };
    if (candidates.length === 0) return undefined;
    return { allow: [...new Set(candidates.flatMap(({ method: m }) => (m === 'GET' ? ['GET', 'HEAD'] : [m])))].sort() };
  }
}

function split(path: string): string[] {
  return path.split('/').filter((segment) => segment !== '');
}

function parameters(entry: Entry): number {
  return entry.segments.filter((segment) => segment.startsWith(':')).length;
}
