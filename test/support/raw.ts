/** Sends a request exactly as it is written: paths that no URL may hold, bodies that are no JSON, heads that are no HTTP. */

import { request } from 'node:http';
import { connect } from 'node:net';
import type { Answer } from './gateway.ts';

export interface RawRequest {
  method?: string;
  path: string;
  headers?: Record<string, string>;
  body?: string | Buffer;
}

export function send(url: string, { method = 'GET', path, headers = {}, body }: RawRequest): Promise<Answer> {
  const { hostname, port } = new URL(url);
  return new Promise((done, failed) => {
    const call = request({ hostname, port, method, path, headers, agent: false }, (answer) => {
      const parts: Buffer[] = [];
      answer.on('data', (part: Buffer) => parts.push(part));
      answer.on('error', failed);
      answer.on('end', () => {
        const text = Buffer.concat(parts).toString('utf8');
        const isJson = /json/.test(answer.headers['content-type'] ?? '');
        const { statusCode: status = 0, headers: found } = answer;
        done({
          status,
          headers: new Headers(Object.entries(found).map(([name, value]) => [name, String(value)])),
          body: isJson && text !== '' ? JSON.parse(text) : text,
        });
      });
    });
    call.on('error', failed);
    call.end(body);
  });
}

/** Writes these bytes and answers what came back until the other side closed. */
export function sendBytes(url: string, bytes: string | Buffer): Promise<string> {
  const { hostname, port } = new URL(url);
  return new Promise((done, failed) => {
    const parts: Buffer[] = [];
    const socket = connect(Number(port), hostname, () => socket.end(bytes));
    socket.on('data', (part: Buffer) => parts.push(part));
    socket.on('error', failed);
    socket.on('close', () => done(Buffer.concat(parts).toString('latin1')));
  });
}
