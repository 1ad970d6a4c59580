/** HTTP/1.1 as bytes over a socket, so that a request can be anything. It judges nothing. */

import { connect, type Socket } from 'node:net';
import type { FuzzRequest } from './requests.ts';

export interface FuzzAnswer {
  /** 0: the other side closed without one. */
  status: number;
  headers: ReadonlyMap<string, string>;
  body: Buffer;
  ms: number;
}

export function bytesOf({ method, target, headers, body, framing }: FuzzRequest): Buffer {
  const lines = [
    framing === 'badLine' ? `${method} ${target.path} HTTP/9.9` : `${method} ${target.path} HTTP/1.1`,
  ];
  if (framing !== 'noHost') lines.push('host: 127.0.0.1');
  for (const [name, value] of headers) lines.push(`${name}: ${value}`);
  const isChunked = framing === 'chunked' || framing === 'both';
  if (isChunked) lines.push('transfer-encoding: chunked');
  if (body !== undefined && framing !== 'chunked') lines.push(`content-length: ${lengthOf(body, framing)}`);
  const head = Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
  if (body === undefined) return head;
  return Buffer.concat(isChunked ? [head, ...chunksOf(body)] : [head, body]);
}

function lengthOf(body: Buffer, framing: FuzzRequest['framing']): number {
  if (framing === 'tooLong') return body.length + 7;
  return framing === 'tooShort' ? Math.floor(body.length / 2) : body.length;
}

function chunksOf(body: Buffer): Buffer[] {
  const parts: Buffer[] = [];
  const size = Math.max(1, Math.ceil(body.length / 3));
  for (let at = 0; at < body.length; at += size) {
    const part = body.subarray(at, at + size);
    parts.push(Buffer.from(`${part.length.toString(16)}\r\n`), part, Buffer.from('\r\n'));
  }
  return [...parts, Buffer.from('0\r\n\r\n')];
}

export interface SendOptions {
  isHead: boolean;
  /** Nothing is sent after it: half-closes, and reads until the other side closes. */
  isLast: boolean;
  /** Gives up after this. */
  msMax: number;
}

/** One request after the other; it connects again when the other side has closed. */
export class Connection {
  readonly #port: number;
  #socket: Socket | undefined;

  constructor(port: number) {
    this.#port = port;
  }

  /** Again on a new connection where the kept one was closed just before, as any client does. */
  async send(bytes: Buffer, options: SendOptions): Promise<FuzzAnswer> {
    const wasKept = this.#socket !== undefined;
    const answer = await this.#sendOnce(bytes, options);
    return answer.status === 0 && wasKept && !options.isLast ? this.#sendOnce(bytes, options) : answer;
  }

  #sendOnce(bytes: Buffer, { isHead, isLast, msMax }: SendOptions): Promise<FuzzAnswer> {
    const socket = this.#socket ?? connect(this.#port, '127.0.0.1').setNoDelay();
    this.#socket = socket;
    const started = performance.now();
    const reader = new AnswerReader(isHead);
    return new Promise((done) => {
      const end = (isOver: boolean) => {
        clearTimeout(timer);
        socket.removeAllListeners();
        socket.on('error', () => {});
        if (isOver || isLast || reader.closes) this.close();
        else socket.once('close', () => this.#forget(socket));
        done({ ...reader.answer(), ms: performance.now() - started });
      };
      const timer = setTimeout(() => end(true), msMax);
      socket.on('data', (part: Buffer) => reader.add(part) && end(false));
      socket.once('error', () => end(true));
      socket.once('close', () => end(true));
      if (isLast) socket.end(bytes);
      else socket.write(bytes);
    });
  }

  #forget(socket: Socket): void {
    if (this.#socket === socket) this.#socket = undefined;
  }

  close(): void {
    this.#socket?.destroy();
    this.#socket = undefined;
  }
}

const blankLine = Buffer.from('\r\n\r\n');
const lastChunk = Buffer.from('0\r\n\r\n');

class AnswerReader {
  readonly #isHead: boolean;
  #parts: Buffer[] = [];
  #length = 0;
  #status = 0;
  #headers: ReadonlyMap<string, string> = new Map();
  /** Where the body begins, once the head is whole. */
  #bodyAt = -1;

  constructor(isHead: boolean) {
    this.#isHead = isHead;
  }

  get closes(): boolean {
    return this.#status === 0 || this.#headers.get('connection') === 'close';
  }

  /** Answers whether the answer is whole. */
  add(part: Buffer): boolean {
    this.#parts.push(part);
    this.#length += part.length;
    while (this.#bodyAt === -1) {
      if (!this.#readHead()) return false;
      // An interim answer is followed by the real one.
      if (this.#status >= 200) break;
      const rest = this.#all().subarray(this.#bodyAt);
      this.#parts = [rest];
      this.#length = rest.length;
      this.#bodyAt = -1;
    }
    if (this.#hasNoBody()) return true;
    const length = this.#headers.get('content-length');
    if (length !== undefined) return this.#length - this.#bodyAt >= Number(length);
    if (this.#headers.has('transfer-encoding')) return this.#endsWithLastChunk();
    return false;
  }

  answer(): Omit<FuzzAnswer, 'ms'> {
    const found =
      this.#bodyAt === -1 || this.#hasNoBody() ? Buffer.alloc(0) : this.#all().subarray(this.#bodyAt);
    const body = this.#headers.has('transfer-encoding') ? unchunked(found) : found;
    return { status: this.#status, headers: this.#headers, body };
  }

  #hasNoBody(): boolean {
    return this.#isHead || this.#status === 204 || this.#status === 304;
  }

  /** A chunk's own data is never followed by an empty line. */
  #endsWithLastChunk(): boolean {
    const part = this.#parts.at(-1);
    const end = part !== undefined && part.length >= lastChunk.length ? part : this.#all();
    return end.subarray(-lastChunk.length).equals(lastChunk);
  }

  #all(): Buffer {
    if (this.#parts.length > 1) this.#parts = [Buffer.concat(this.#parts)];
    return this.#parts[0] ?? Buffer.alloc(0);
  }

  #readHead(): boolean {
    const all = this.#all();
    const end = all.indexOf(blankLine);
    if (end === -1) return false;
    const [line = '', ...lines] = all.subarray(0, end).toString('latin1').split('\r\n');
    this.#status = Number(line.split(' ')[1]);
    this.#headers = new Map(
      lines.map((one) => [
        one.slice(0, one.indexOf(':')).toLowerCase(),
        one.slice(one.indexOf(':') + 1).trim(),
      ]),
    );
    this.#bodyAt = end + blankLine.length;
    return true;
  }
}

function unchunked(bytes: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const lineEnd = bytes.indexOf('\r\n', at);
    const size = Number.parseInt(bytes.subarray(at, lineEnd).toString('latin1'), 16);
    if (lineEnd === -1 || !(size > 0)) break;
    parts.push(bytes.subarray(lineEnd + 2, lineEnd + 2 + size));
    at = lineEnd + 2 + size + 2;
  }
  return Buffer.concat(parts);
}
