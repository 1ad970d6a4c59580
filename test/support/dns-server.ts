/** A name server on a loopback port: answers questions for TXT records over UDP (RFC 1035 §4), from what tests put there. */

import { createSocket } from 'node:dgram';
import { made, type TestGateway } from './gateway.ts';

export interface DnsServer {
  /** As `DNS_RESOLVER` takes it. */
  address: { host: string; port: number };
  /** The records of a name, each in one or more strings of at most 255 bytes. */
  put(name: string, ...records: string[][]): void;
  /** Answers nobody from now on, or everybody again. */
  isSilent: boolean;
  asked: string[];
  close(): Promise<void>;
}

export async function startDnsServer(): Promise<DnsServer> {
  const zone = new Map<string, string[][]>();
  const socket = createSocket('udp4');
  await new Promise<void>((done) => socket.bind(0, '127.0.0.1', done));
  const server: DnsServer = {
    address: { host: '127.0.0.1', port: socket.address().port },
    put: (name, ...records) => zone.set(name, records),
    isSilent: false,
    asked: [],
    close: () => new Promise((done) => socket.close(() => done())),
  };
  socket.on('message', (message, { address, port }) => {
    const name = nameIn(message);
    server.asked.push(name);
    if (!server.isSilent) socket.send(answerTo(message, zone.get(name)), port, address);
  });
  return server;
}

/** Names the domain for the tenant, puts its record there and has it verified. */
export async function verifiedDomain(
  { api }: TestGateway,
  dns: DnsServer,
  { slug }: { slug: string },
  domain: string,
): Promise<void> {
  const { record } = await made(api('POST', `/tenants/${slug}/domains`, { domain }));
  dns.put(record.name, [record.value]);
  const { status } = await made(api('POST', `/tenants/${slug}/domains/${domain}/verify`));
  if (status !== 'verified') throw new Error(`${domain} is ${status}`);
}

const headerBytes = 12;

function nameIn(message: Buffer): string {
  const labels: string[] = [];
  for (let at = headerBytes; message.readUInt8(at) > 0; at += message.readUInt8(at) + 1) {
    labels.push(message.toString('latin1', at + 1, at + 1 + message.readUInt8(at)));
  }
  return labels.join('.').toLowerCase();
}

/** undefined: there is no such name (NXDOMAIN). */
function answerTo(question: Buffer, records: string[][] | undefined): Buffer {
  const questionEnd = question.indexOf(0, headerBytes) + 5;
  const header = Buffer.from(question.subarray(0, headerBytes));
  // A response, recursion desired and available.
  header.writeUInt16BE(records === undefined ? 0x8183 : 0x8180, 2);
  header.writeUInt16BE(records?.length ?? 0, 6);
  header.writeUInt32BE(0, 8);
  return Buffer.concat([
    header,
    question.subarray(headerBytes, questionEnd),
    ...(records ?? []).map(textRecord),
  ]);
}

function textRecord(strings: string[]): Buffer {
  const data = Buffer.concat(
    strings.map((text) => Buffer.concat([Buffer.from([text.length]), Buffer.from(text)])),
  );
  const length = Buffer.alloc(2);
  length.writeUInt16BE(data.length);
  // The name of the question, TXT, IN, no time to live.
  return Buffer.concat([Buffer.from([0xc0, headerBytes, 0, 16, 0, 1, 0, 0, 0, 0]), length, data]);
}
