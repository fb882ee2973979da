/**
 * Where the monitor listens, and under which names it may be asked for.
 *
 * @module
 */

/** Where the monitor listens. */
export interface MonitorAddress {
  /** A host name or an address, an IPv6 one without its brackets. */
  readonly hostname: string;
  /** 0 to 65535; 0 takes one that is free. */
  readonly port: number;
}

const ADDRESS = /^(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9.-]+)):(\d{1,5})$/;

/**
 * Reads HOST:PORT.
 *
 * @param text the text; an IPv6 address has brackets
 * @returns the address, or undefined where it is none
 */
export function parseAddress(text: string): MonitorAddress | undefined {
  const match = ADDRESS.exec(text);
  if (match === null) return undefined;
  const hostname = match[1] ?? match[2]!;
  const port = Number(match[3]);
  return port > 65535 ? undefined : { hostname, port };
}

/**
 * An address as URLs and permissions have it.
 *
 * @param address the address
 * @returns HOST:PORT
 */
export function addressText({ hostname, port }: MonitorAddress): string {
  return `${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}`;
}

/** RFC 9110, 7.2: a host, and a port where it is not the scheme's. */
const HOST = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9.-]+))(?::\d{1,5})?$/;

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|::1)$/;
const IP_ADDRESS = /^(\d{1,3}(\.\d{1,3}){3}|[0-9a-f:.]*:[0-9a-f:.]*)$/;

/**
 * Whether a request's Host header names this monitor. A page from elsewhere
 * whose name is made to resolve to this machine would have its own name there
 * (DNS rebinding).
 *
 * @param host the header; null where there is none
 * @param hostname the host it listens on
 * @returns true for loopback names, for the host itself, and for any address
 * where it does not listen on loopback
 */
export function isOwnName(host: string | null, hostname: string): boolean {
  const match = HOST.exec(host?.toLowerCase() ?? "");
  if (match === null) return false;
  const named = match[1] ?? match[2]!;
  const own = hostname.toLowerCase();
  return LOOPBACK.test(named) || named === own ||
    (!LOOPBACK.test(own) && IP_ADDRESS.test(named));
}
