/** IP addresses as numbers, so that ranges can be counted and compared. */
export interface Address {
  readonly family: 4 | 6;
  readonly value: bigint;
}

export interface Range {
  readonly family: 4 | 6;
  readonly first: bigint;
  readonly last: bigint;
}

/** An IPv4 or IPv6 address, or undefined for anything else. */
export function addressOf(text: string): Address | undefined {
  return ipv4(text) ?? ipv6(text);
}

function ipv4(text: string): Address | undefined {
  const parts = text.split('.');
  if (parts.length !== 4 || !parts.every(part => /^\d{1,3}$/.test(part) && Number(part) <= 255)) return undefined;
  return { family: 4, value: parts.reduce((sum, part) => sum * 256n + BigInt(part), 0n) };
}

function ipv6(text: string): Address | undefined {
  if (!text.includes(':')) return undefined;
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const [front, back] = halves.map(half => (half === '' ? [] : half.split(':')));
  const missing = 8 - (front?.length ?? 0) - (back?.length ?? 0);
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  const groups = [...front!, ...Array<string>(halves.length === 2 ? missing : 0).fill('0'), ...(back ?? [])];
  if (!groups.every(group => /^[0-9a-f]{1,4}$/i.test(group))) return undefined;
  return { family: 6, value: groups.reduce((sum, group) => sum * 65536n + BigInt(`0x${group}`), 0n) };
}

/** A CIDR block, a single address counting as one; undefined for anything else. */
export function blockOf(cidr: string): Range | undefined {
  const [text = '', length] = cidr.split('/');
  const address = addressOf(text);
  if (!address) return undefined;
  const bits = address.family === 4 ? 32 : 128;
  const prefix = length === undefined ? bits : Number(length);
  if (!Number.isInteger(prefix) || prefix < 0 || prefix > bits) return undefined;
  const size = 1n << BigInt(bits - prefix);
  const first = (address.value / size) * size;
  return { family: address.family, first, last: first + size - 1n };
}

export function rangeOf(first: string, last: string): Range | undefined {
  const from = addressOf(first);
  const to = addressOf(last || first);
  if (!from || !to || from.family !== to.family || to.value < from.value) return undefined;
  return { family: from.family, first: from.value, last: to.value };
}

export function isIn(address: Address, range: Range): boolean {
  return address.family === range.family && address.value >= range.first && address.value <= range.last;
}

export function overlap(one: Range, other: Range): Range | undefined {
  if (one.family !== other.family) return undefined;
  const [lower, upper] = one.first < other.first ? [one, other] : [other, one];
  if (upper.first > lower.last) return undefined;
  const [shorter] = one.last < other.last ? [one] : [other];
  return { family: one.family, first: upper.first, last: shorter.last };
}

/** How many addresses ranges hold together; each once. Never more than a number can say exactly. */
export function countOf(ranges: readonly Range[]): number {
  let total = 0n;
  for (const family of [4, 6] as const) {
    const sorted = ranges
      .filter(range => range.family === family)
      .sort((one, other) => (one.first < other.first ? -1 : one.first > other.first ? 1 : 0));
    let end = -1n;
    for (const { first, last } of sorted) {
      const from = first > end ? first : end + 1n;
      if (last >= from) total += last - from + 1n;
      if (last > end) end = last;
    }
  }
  const most = BigInt(Number.MAX_SAFE_INTEGER);
  return Number(total < most ? total : most);
}

export function textOf({ family, value }: Address): string {
  if (family === 4) return [24n, 16n, 8n, 0n].map(shift => String((value >> shift) & 255n)).join('.');
  const groups = Array.from({ length: 8 }, (_, index) => ((value >> BigInt(112 - 16 * index)) & 65535n).toString(16));
  const zeros = /(?:^|:)(?:0(?::|$)){2,}/.exec(groups.join(':'));
  const whole = groups.join(':');
  return zeros ? whole.replace(zeros[0], '::') : whole;
}
