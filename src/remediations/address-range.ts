import { Refusal } from './refusal.ts';

/** Two IPv4 addresses as numbers, the smaller first. Throws a `Refusal` for anything else. */
export function rangeOf(text: string): {
  readonly start: string;
  readonly stop: string;
  readonly from: number;
  readonly to: number;
} {
  const [start = '', stop = start] = text.split('-').map(part => part.trim());
  const from = addressOf(start);
  const to = addressOf(stop);
  if (from === undefined || to === undefined || to < from || to - from > 65_535) {
    throw new Refusal('range-given-by-hand', `"${text}" is no range of addresses: --range 10.0.0.10-10.0.0.20`);
  }
  return { start, stop, from, to };
}

/** An IPv4 address as a number. */
export function addressOf(text: string): number | undefined {
  const parts = text.split('.').map(part => (/^\d{1,3}$/.test(part) ? Number(part) : 256));
  if (parts.length !== 4 || parts.some(part => part > 255)) return undefined;
  return parts.reduce((sum, part) => sum * 256 + part, 0);
}

/** The first and last address of a block as a pool writes it: `cidr` or `start` and `stop`. */
export function blockOf(block: {
  readonly cidr?: string;
  readonly start?: string;
  readonly stop?: string;
}): readonly [number, number] | undefined {
  if (block.cidr) {
    const [base = '', bits = '32'] = block.cidr.split('/');
    const address = addressOf(base);
    if (address === undefined) return undefined;
    const size = 2 ** (32 - Number(bits));
    const first = Math.floor(address / size) * size;
    return [first, first + size - 1];
  }
  const first = addressOf(block.start ?? '');
  const last = addressOf(block.stop ?? block.start ?? '');
  return first === undefined || last === undefined ? undefined : [first, last];
}

export function inWordsOf(address: number): string {
  return [24, 16, 8, 0].map(shift => Math.floor(address / 2 ** shift) % 256).join('.');
}
