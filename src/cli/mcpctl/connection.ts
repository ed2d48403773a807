import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import { Secret, type SettingsOf } from '../../kernel/settings.js';
import type { apiClientSettings, ApiTarget } from '../../platform/api-client/index.js';
import { YamlDocument } from '../yaml-document.js';
import { UsageFault } from './api-command.js';
import { LocalFault, readBytes } from './local-fault.js';

const DEFAULT_HOST = 'http://localhost:8000';
const DEFAULT_TIMEOUT_S = 30;
const LONGEST_TIMEOUT_S = 3600;

/** Options that every command takes, as they were typed. */
export interface GivenConnection {
  readonly host?: string;
  readonly token?: string;
  readonly tokenFile?: string;
  readonly profile?: string;
  readonly timeout?: string;
}

interface Source {
  readonly host?: string | undefined;
  readonly token?: Secret | undefined;
}

const profiles = z.strictObject({
  profiles: z.record(
    z.string(),
    z.strictObject({ host: z.string(), token: z.string().optional(), token_file: z.string().optional() }),
  ),
});

/**
 * The server to talk to. Options win over the profile; a profile that is named stands in for the environment as a
 * whole, so that the token of one server is not sent to another.
 *
 * @throws LocalFault, UsageFault
 */
export async function apiTarget(
  given: GivenConnection,
  settings: SettingsOf<typeof apiClientSettings>,
  profilesFile: string,
): Promise<ApiTarget> {
  const source: Source =
    given.profile === undefined
      ? { host: settings.hostUrl, token: settings.hostToken }
      : await profile(given.profile, profilesFile);
  return {
    hostUrl: checkedHost(given.host ?? source.host ?? DEFAULT_HOST),
    token: checkedToken((await givenToken(given)) ?? source.token),
    timeoutMs: 1000 * timeoutSeconds(given.timeout),
  };
}

async function givenToken({ token, tokenFile }: GivenConnection): Promise<Secret | undefined> {
  if (token !== undefined) return new Secret(token);
  return tokenFile === undefined ? undefined : tokenIn(tokenFile);
}

async function profile(name: string, file: string): Promise<Source> {
  const document = YamlDocument.parse((await readBytes(file, 'The file of profiles')).toString());
  const parsed = profiles.safeParse(document instanceof YamlDocument ? document.value : undefined);
  if (!parsed.success) throw new LocalFault(`${file} must hold profiles: NAME: {host: URL, token_file: PATH}.`);
  const found = parsed.data.profiles[name];
  if (found === undefined) {
    throw new LocalFault(`${file} has no profile ${name}, but ${Object.keys(parsed.data.profiles).join(', ')}.`);
  }
  const { host, token, token_file: tokenFile } = found;
  if (token !== undefined) return { host, token: new Secret(token) };
  return { host, token: tokenFile === undefined ? undefined : await tokenIn(resolve(dirname(file), tokenFile)) };
}

async function tokenIn(file: string): Promise<Secret> {
  return new Secret((await readBytes(file, 'The file of the token')).toString().trim());
}

function checkedHost(host: string): string {
  const url = URL.canParse(host) ? new URL(host) : undefined;
  if (url === undefined || !['http:', 'https:'].includes(url.protocol)) {
    throw new LocalFault('The host must be a URL such as https://rag.example.com.');
  }
  if (url.username !== '' || url.password !== '') {
    throw new LocalFault('The host must not hold a password. Give a token with --token-file or MCP_HOST_TOKEN.');
  }
  return host;
}

/** What is not printable would be refused further down, with the token in the message. */
function checkedToken(token: Secret | undefined): Secret | undefined {
  if (token === undefined || /^[\x21-\x7e]+$/.test(token.reveal())) return token;
  throw new LocalFault('The token is empty, or has blanks or line breaks inside.');
}

function timeoutSeconds(given: string | undefined): number {
  const seconds = given === undefined ? DEFAULT_TIMEOUT_S : Number(given);
  if (seconds > 0 && seconds <= LONGEST_TIMEOUT_S) return seconds;
  throw new UsageFault(`--timeout must be a number of seconds up to ${LONGEST_TIMEOUT_S}.`);
}
