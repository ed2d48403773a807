import { successStatuses } from '../../src/platform/http/index.js';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Controller, Get, Module } from '@nestjs/common';
import { DiscoveryModule, DiscoveryService, MetadataScanner, NestFactory } from '@nestjs/core';
import { AUDIT_EVENTS, ERRORS } from '../../src/app/catalogue.js';
import type { Route } from '../../src/kernel/operation.js';
import { ROLES, type Authority } from '../../src/kernel/principal.js';
import { RouteManifest } from '../../src/platform/http/index.js';
import { TestApp } from '../harness/app.js';
import { DESCRIBED, described, errorsOf, inputsOf } from './openapi.js';
import { COMMON_IDS, EXAMPLES } from './examples.js';

/** Operations that anybody may call. Each with the reason why. */
const PUBLIC: Readonly<Record<string, string>> = {
  'health.get': 'says only that the process answers',
  'health.live': 'orchestrators probe without a credential',
  'health.ready': 'orchestrators probe without a credential; names parts, not addresses',
  'receipt-keys.get': 'third parties verify receipts with public keys',
};

/** Operations that not every admin may call. Each with what it needs, and why. */
const AUTHORITIES: Readonly<Record<string, readonly [Authority, string]>> = {
  'admin-receipts.get': ['operator', 'receipts of any tenant'],
  'admin-receipts.list': ['operator', 'as above'],
  'admin-receipts.replay': ['operator', 'as above'],
  'admin-receipts.verify': ['operator', 'as above'],
  'plans.assign': ['plan_assignment', 'a tenant would give itself what it does not pay for'],
  'plans.clearOverride': ['plan_assignment', 'as above'],
  'plans.override': ['plan_assignment', 'as above'],
  'policy-templates.create': ['operator', 'templates apply to every tenant'],
  'policy-templates.delete': ['operator', 'as above'],
  'policy-templates.get': ['operator', 'as above'],
  'policy-templates.list': ['operator', 'as above'],
  'policy-templates.update': ['operator', 'as above'],
  'residency.status': ['operator', 'it names the zone of the process'],
  'tenant-exports.artifact': ['operator', 'everything of a tenant, though sealed'],
  'tenant-exports.create': ['operator', 'reads any tenant'],
  'tenant-exports.get': ['operator', 'about any tenant'],
  'tenant-imports.create': ['operator', 'writes any tenant'],
  'tenant-imports.get': ['operator', 'about any tenant'],
  'tenant-migrations.abort': ['operator', 'as below'],
  'tenant-migrations.advance': ['operator', 'freezes and pins any tenant'],
  'tenant-migrations.create': ['operator', 'about any tenant'],
  'tenant-migrations.get': ['operator', 'about any tenant'],
  'tenant-purges.create': ['operator', 'deletes any tenant'],
  'tenant-purges.get': ['operator', 'about any tenant'],
  'tenant-purges.preview': ['operator', 'counts what any tenant has'],
};

/** Operations that change something and write no audit event. Each with the reason why. */
const UNAUDITED: Readonly<Record<string, string>> = {};

/** Reads that leave audit events beside those of every access. Each with the reason why. */
const AUDITED_READS: Readonly<Record<string, string>> = {
  'access.explain': 'who looks into the rights of others',
  'admin-receipts.verify': 'that a receipt was checked, and with which result',
  'audit.export': 'the trail says who has a copy of it',
  'audit.get': 'who looks at the trail is watched, too',
  'audit.list': 'as above',
  'audit.verify': 'as above',
  'policies.simulate': 'what was tried before it was put in force',
  'policies.simulateDraft': 'as above',
  'receipts.verify': 'that a receipt was checked, and with which result',
  'self-serve.inactiveKeys': 'a report about credentials',
  'self-serve.listKeys': 'who looks for credentials; at most once an hour',
  'self-serve.plan': 'who looks at what the tenant has agreed on',
  'self-serve.usageSeries': 'a report about everybody in the tenant',
  'self-serve.usageSummary': 'as above',
};

/** Served outside the manifest. */
const DOCUMENTATION = /^GET \/v1\/(docs|openapi\.json)/;

interface ExpressRoute {
  readonly path: string;
  readonly methods: Readonly<Record<string, boolean>>;
}

let app: TestApp;
let routes: readonly Route[];

beforeAll(async () => {
  app = await TestApp.start({}, {}, false);
  routes = app.app.manifest.routes;
});
afterAll(() => app.close());

const changes = ({ method, operation }: Route): boolean =>
  !['GET', 'HEAD', 'OPTIONS'].includes(method) && operation.changesNothing !== true;
const offenders = (wrong: (route: Route) => boolean): string[] =>
  routes.filter(wrong).map(({ operation }) => operation.id);

/** What Express really routes, as `METHOD /path`. */
function served(): string[] {
  const { router } = app.app.nest.getHttpAdapter().getInstance();
  const found = router.stack.flatMap(({ route }) => (route === undefined ? [] : [route as unknown as ExpressRoute]));
  return found.flatMap(({ path, methods }) => Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`));
}

describe('the manifest', () => {
  // A route outside the manifest would have no role: every guard would let everybody pass.
  it('lists exactly the routes that Express serves', () => {
    const listed = routes.map(({ method, path }) => `${method} ${path}`);
    expect(
      served()
        .filter((route) => !DOCUMENTATION.test(route))
        .sort(),
    ).toEqual(listed.sort());
  });

  it('has every route under /v1, and so has the documentation', () => {
    expect(served().filter((route) => !/^[A-Z]+ \/v1\//.test(route))).toEqual([]);
  });

  it('refuses to start with a handler that declares no operation', async () => {
    @Controller('v1/undeclared')
    class UndeclaredController {
      @Get()
      list(): string {
        return '';
      }
    }
    @Module({ imports: [DiscoveryModule], controllers: [UndeclaredController] })
    class UndeclaredModule {}
    const context = await NestFactory.createApplicationContext(UndeclaredModule, { logger: false });
    expect(() => RouteManifest.discover(context.get(DiscoveryService), context.get(MetadataScanner))).toThrow(
      'UndeclaredController.list has no @Operation.',
    );
    await context.close();
  });

  it('names each operation once, as <resource>.<verb>', () => {
    const ids = routes.map(({ operation }) => operation.id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.filter((id) => !/^[a-z][a-zA-Z-]*\.[a-z][a-zA-Z]*$/.test(id))).toEqual([]);
  });

  it('gives every operation a role, and makes only the listed ones public', () => {
    expect(offenders(({ operation }) => !['public', ...ROLES].includes(operation.role))).toEqual([]);
    expect(offenders(({ operation }) => operation.role === 'public').sort()).toEqual(Object.keys(PUBLIC).sort());
  });

  it('demands an authority for exactly the listed operations, of admins', () => {
    const demanding = routes.filter(({ operation }) => operation.authority !== undefined);
    const expected = Object.entries(AUTHORITIES).map(([id, [authority]]) => [id, authority, 'admin']);
    expect(demanding.map(({ operation: { id, authority, role } }) => [id, authority, role]).sort()).toEqual(expected);
  });

  it("demands more than the reader role for every change except to conversations of one's own", () => {
    const byReaders = offenders((route) => changes(route) && !['editor', 'admin'].includes(route.operation.role));
    expect(byReaders.sort()).toEqual(['run.create', 'sessions.delete']);
  });

  it('declares the audit events of every change, and for reads none but the listed ones', () => {
    const silent = offenders((route) => changes(route) && route.operation.audit.length === 0);
    expect(silent).toEqual(Object.keys(UNAUDITED));
    const audited = offenders((route) => !changes(route) && route.operation.audit.length > 0);
    expect(audited.sort()).toEqual(Object.keys(AUDITED_READS));
  });

  it('names only errors and audit events that are declared, each once', () => {
    expect(offenders(({ operation }) => operation.errors.some((code) => !ERRORS.has(code)))).toEqual([]);
    expect(offenders(({ operation }) => operation.audit.some((event) => !Object.hasOwn(AUDIT_EVENTS, event)))).toEqual(
      [],
    );
    expect(offenders(({ operation }) => new Set(operation.errors).size < operation.errors.length)).toEqual([]);
  });

  it('declares NOT_FOUND for every path with a parameter', () => {
    expect(
      offenders(
        ({ path, operation }) => path.includes(':') && !operation.errors.some((code) => code.endsWith('NOT_FOUND')),
      ),
    ).toEqual([]);
  });

  it('draws changes and questions from their own rate class, and costs every guarded operation something', () => {
    const rateClass = (route: Route): string =>
      route.operation.id === 'run.create'
        ? 'run'
        : changes(route)
          ? 'mutation'
          : route.path.startsWith('/v1/ops/') || route.operation.id.startsWith('audit.')
            ? 'ops'
            : 'read';
    const guarded = ({ operation }: Route): boolean => operation.role !== 'public';
    expect(offenders((route) => guarded(route) && route.operation.rateClass !== rateClass(route))).toEqual([]);
    expect(offenders((route) => guarded(route) && route.operation.cost < 1)).toEqual([]);
  });

  it('has an example for every operation', () => {
    expect(Object.keys(EXAMPLES).sort()).toEqual(routes.map(({ operation }) => operation.id).sort());
  });
});

describe('the committed API description', () => {
  it('describes exactly the routes of the manifest, under their ids', () => {
    const ids = [...DESCRIBED].map(([route, { operationId }]) => `${route} ${operationId}`);
    expect(ids.sort()).toEqual(routes.map((route) => `${described(route)} ${route.operation.id}`).sort());
  });

  it('documents of all successes only those that the operation declares', () => {
    const successes = routes.map((route) => [
      route.operation.id,
      Object.keys(DESCRIBED.get(described(route))?.responses ?? {}).filter((status) => status.startsWith('2')),
    ]);
    expect(successes).toEqual(
      routes.map(({ operation }) => [operation.id, successStatuses(operation).map(String).sort()]),
    );
  });

  it('documents every error that an operation declares, under its status, and no other code than those that exist', () => {
    for (const route of routes) {
      const documented = errorsOf(DESCRIBED.get(described(route)) ?? { operationId: '', responses: {} });
      for (const { code, status } of documented) {
        const { status: usual, alternatives = [] } = ERRORS.get(code) ?? {};
        expect([code, [usual, ...alternatives].includes(status)]).toEqual([code, true]);
      }
      expect(documented.map(({ code }) => code)).toEqual(expect.arrayContaining([...route.operation.errors]));
    }
  });

  it('asks for a credential exactly where the operation does', () => {
    expect(
      offenders(
        (route) => (DESCRIBED.get(described(route))?.security === undefined) !== (route.operation.role === 'public'),
      ),
    ).toEqual([]);
  });

  // An identifier that the table does not know is one that the cross-tenant matrix does not try.
  it('has every identifier in a request classified by the example of its operation', () => {
    const identifier = /[._-](ids?|hash)$/;
    for (const route of routes) {
      const { names = {}, invents = {} } = EXAMPLES[route.operation.id] ?? {};
      const inputs = inputsOf(DESCRIBED.get(described(route)) ?? { operationId: '', responses: {} });
      expect([route.operation.id, Object.keys({ ...names, ...invents }).sort()]).toEqual([
        route.operation.id,
        inputs.filter((place) => identifier.test(place) && !COMMON_IDS.includes(place)).sort(),
      ]);
    }
  });
});
