import { randomUUID } from 'node:crypto';
import autocannon from 'autocannon';
import { CORPUS } from './corpus-loader.js';
import type { ServerProcess } from './server-process.js';
import { searchPath, type Site } from './site.js';
import type { StreamTarget } from './streams.js';

/** The same request at the product and at its baseline. */
export interface Target {
  readonly server: ServerProcess;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

export function readTargets(site: Site): { readonly baseline: Target; readonly product: Target } {
  return targets(site, `/documents/${site.documentId}`, `/v1/documents/${site.documentId}`);
}

export function searchTargets(site: Site, question: string): { readonly baseline: Target; readonly product: Target } {
  return targets(site, `/search?${new URLSearchParams({ q: question }).toString()}`, searchPath(question));
}

function targets(site: Site, barePath: string, path: string): { readonly baseline: Target; readonly product: Target } {
  const headers = bearer(site);
  const { baseline: server, baselineUrl: url } = site;
  return {
    baseline: site.isVersion ? { server, url: url + path, headers } : { server, url: url + barePath, headers: {} },
    product: { server: site.api, url: site.apiUrl + path, headers },
  };
}

/** Each question opens a session of its own, so that no answer waits for another and none has a history. */
export function answerTargets(site: Site): { readonly baseline: StreamTarget; readonly product: StreamTarget } {
  const product = (url: string): StreamTarget => ({
    url: `${url}/v1/run`,
    headers: bearer(site),
    body: (message) => ({ session_id: randomUUID(), corpus_id: CORPUS, message }),
  });
  const bare = { url: `${site.baselineUrl}/run`, headers: {}, body: (message: string) => ({ message }) };
  return { baseline: site.isVersion ? product(site.baselineUrl) : bare, product: product(site.apiUrl) };
}

export interface Throughput {
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
  /** Processor time of the server for a request, in ms. */
  readonly cpu: number;
}

/** As many requests as 16 connections get answered. @throws Error when any answer is no success. */
export async function hammer({ server, url, headers }: Target, seconds: number): Promise<Throughput> {
  const before = server.cpuMs();
  const result = await autocannon({ url, headers: { ...headers }, connections: 16, duration: seconds });
  const failed = result.non2xx + result.errors;
  if (failed > 0) throw new Error(`${failed} of ${result.requests.total} requests were not answered with a success.`);
  const cpu = (server.cpuMs() - before) / result.requests.total;
  return { perSecond: result.requests.average, p50: result.latency.p50, p99: result.latency.p99, cpu };
}

/** Latency of one request in ms. @throws Error for an answer that is no success. */
export async function timed({ url, headers }: Target): Promise<number> {
  const started = performance.now();
  const response = await fetch(url, { headers });
  const text = await response.text();
  if (!response.ok) throw new Error(`A request was answered ${response.status}: ${text}`);
  return performance.now() - started;
}

function bearer({ token }: Site): Record<string, string> {
  return { Authorization: `Bearer ${token}` };
}
