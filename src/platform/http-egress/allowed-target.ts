import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

/**
 * Which addresses a customer or an operator may make this server call. `private` is for development: loopback and
 * private networks as well, over plain HTTP as well. Link-local addresses, where clouds keep their credentials, are
 * never allowed.
 */
export interface EgressPolicy {
  readonly allowPrivate: boolean;
}

/** What IPv6 has handed out to hosts of the Internet. Whatever is outside embeds, maps or reserves something. */
const GLOBAL_UNICAST_V6 = ipaddr.IPv6.parseCIDR('2000::/3');
/** Routable by its number, and yet the host of a virtual machine: Azure answers there with its metadata. */
const CLOUD_HOSTS = new Set(['168.63.129.16']);
const PRIVATE = new Set<string>(['loopback', 'private', 'uniqueLocal']);

/** Whether a connection to this address, as a resolver prints it, may be made. */
export function isAllowedAddress(text: string, { allowPrivate }: EgressPolicy): boolean {
  if (isIP(text) === 0 || text.includes('%') || CLOUD_HOSTS.has(text)) return false;
  const address = ipaddr.parse(text);
  const range = address.range();
  if (allowPrivate && PRIVATE.has(range)) return true;
  return range === 'unicast' && (address instanceof ipaddr.IPv4 || address.match(GLOBAL_UNICAST_V6));
}

/** What is wrong with a URL as it stands, before its name is looked up; undefined when nothing is. */
export function targetFault(text: string, policy: EgressPolicy): string | undefined {
  if (!URL.canParse(text)) return 'is not a URL';
  const url = new URL(text);
  if (url.protocol !== 'https:' && !(policy.allowPrivate && url.protocol === 'http:'))
    return 'must start with https://';
  if (url.username !== '' || url.password !== '') return 'must not hold a user name or password';
  const literal = literalAddress(url);
  return literal === undefined || isAllowedAddress(literal, policy)
    ? undefined
    : 'must not point to a private, local or reserved address';
}

/** The address when the host is one. The URL parser has brought every spelling of IPv4 to four decimal numbers. */
export function literalAddress({ hostname }: URL): string | undefined {
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  return isIP(host) === 0 ? undefined : host;
}
