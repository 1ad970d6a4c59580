/** Which IP addresses are somebody else's on the public internet: everything else is ours, special or nowhere. */

/** IPv4 ranges that are not globally reachable (IANA special-purpose address registry), as [network, prefix length]. */
const closedIpv4: readonly (readonly [string, number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
];

/** Within 2000::/3, the only range that is assigned for global use, these lead elsewhere: Teredo and others, 6to4, examples. */
const closedIpv6: readonly (readonly [string, number])[] = [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
];
const globalIpv6 = ['2000::', 3] as const;

/** @param address An IPv4 or IPv6 address without brackets; whatever can't be read is not public. */
export function isPublicAddress(address: string): boolean {
  const v4 = ipv4Bits(address);
  if (v4 !== undefined) {
    return !closedIpv4.some(([network, length]) => isWithin(v4, ipv4Bits(network), length, 32));
  }
  const v6 = ipv6Bits(address);
  if (v6 === undefined) return false;
  const isIn = ([network, length]: readonly [string, number]) => isWithin(v6, ipv6Bits(network), length, 128);
  return isIn(globalIpv6) && !closedIpv6.some(isIn);
}

/** Whom an address belongs to, for counting: an IPv4 address by itself, of IPv6 the 64 bits that a line is given. */
export function networkOf(address: string): string {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '');
  const v6 = ipv4Bits(plain) === undefined ? ipv6Bits(plain) : undefined;
  return v6 === undefined ? plain : `${(v6 >> 64n).toString(16)}::/64`;
}

function isWithin(bits: bigint, network: bigint | undefined, length: number, width: number): boolean {
  const shift = BigInt(width - length);
  return network !== undefined && bits >> shift === network >> shift;
}

function ipv4Bits(text: string): bigint | undefined {
  const parts = text.split('.');
  if (parts.length !== 4 || !parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) < 256)) {
    return undefined;
  }
  return parts.reduce((bits, part) => (bits << 8n) | BigInt(part), 0n);
}

/** Also with an IPv4 tail and a zone (RFC 4291 §2.2, RFC 4007 §11). */
function ipv6Bits(text: string): bigint | undefined {
  const [plain = ''] = text.split('%');
  const tail = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(plain);
  const v4 = tail?.[2] === undefined ? undefined : ipv4Bits(tail[2]);
  if (tail !== null && v4 === undefined) return undefined;
  const hex =
    v4 === undefined ? plain : `${tail?.[1]}${(v4 >> 16n).toString(16)}:${(v4 & 0xffffn).toString(16)}`;
  const halves = hex.split('::');
  if (halves.length > 2) return undefined;
  const [left = [], right] = halves.map((half) => (half === '' ? [] : half.split(':')));
  const missing = 8 - left.length - (right?.length ?? 0);
  if (right === undefined ? missing !== 0 : missing < 1) return undefined;
  const groups = [...left, ...Array<string>(missing).fill('0'), ...(right ?? [])];
  if (!groups.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return undefined;
  return groups.reduce((bits, group) => (bits << 16n) | BigInt(`0x${group}`), 0n);
}
