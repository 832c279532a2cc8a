import { BlockList, isIP } from 'node:net';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The proxy by which `url` is reached, or '' for none, by `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` as Go reads them:
 * lower case names count too, NO_PROXY may hold suffixes, ports and CIDR blocks, and loopback is never proxied.
 */
export function proxyFor(url: URL, environment: Environment): string {
  const variable = url.protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY';
  const proxy = read(environment, variable);
  if (!proxy || isLoopback(url.hostname) || isExempt(url, read(environment, 'NO_PROXY'))) return '';
  return proxy.includes('://') ? proxy : `http://${proxy}`;
}

export function isLoopback(hostname: string): boolean {
  const host = bare(hostname);
  return host === 'localhost' || host === '::1' || /^127\./.test(host);
}

function read(environment: Environment, name: string): string {
  return environment[name] || environment[name.toLowerCase()] || '';
}

function bare(hostname: string): string {
  return hostname.replace(/^\[|\]$/g, '').toLowerCase();
}

function isExempt(url: URL, list: string): boolean {
  const host = bare(url.hostname);
  const port = url.port || (url.protocol === 'https:' ? '443' : '80');
  return list
    .split(',')
    .map(entry => entry.trim().toLowerCase())
    .filter(entry => entry !== '')
    .some(entry => entry === '*' || matches(entry, host, port));
}

function matches(entry: string, host: string, port: string): boolean {
  if (entry.includes('/')) return inBlock(entry, host);
  const withPort = /^(\[[^\]]+\]|[^:]+):([0-9]+)$/.exec(entry);
  if (withPort && withPort[2] !== port) return false;
  const name = bare(withPort?.[1] ?? entry).replace(/^\*(?=\.)/, '');
  if (isIP(name) || isIP(host)) return name === host;
  // Go: `example.com` stands for itself and its subdomains, `.example.com` for the subdomains alone.
  return name.startsWith('.') ? host.endsWith(name) : host === name || host.endsWith(`.${name}`);
}

function inBlock(entry: string, host: string): boolean {
  const family = isIP(host);
  const [address = '', prefix = ''] = entry.split('/');
  if (!family || isIP(address) !== family) return false;
  const kind = family === 4 ? 'ipv4' : 'ipv6';
  const length = Number(prefix);
  if (!Number.isInteger(length) || length < 0 || length > (family === 4 ? 32 : 128)) return false;
  const block = new BlockList();
  block.addSubnet(address, length, kind);
  return block.check(host, kind);
}
