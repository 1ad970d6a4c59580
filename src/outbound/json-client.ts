/** Reads a document, JSON or another text, from an address that somebody gave us: no redirect, a time limit, a limit on bytes. */

import { type Dispatcher, request } from 'undici';

/** The document could not be had; the message says why, without naming the address. */
export class DocumentFailed extends Error {}

export interface DocumentOptions {
  /** The outbound agent: it decides where to connect. */
  dispatcher: Dispatcher;
  signal: AbortSignal;
  bytesMax: number;
}

/** @throws DocumentFailed */
export async function readJson(url: string, options: DocumentOptions): Promise<unknown> {
  const text = await readText(url, 'application/json', options);
  try {
    return JSON.parse(text);
  } catch {
    throw new DocumentFailed('what it answers is no JSON');
  }
}

/** @throws DocumentFailed */
export async function readText(
  url: string,
  accept: string,
  { dispatcher, signal, bytesMax }: DocumentOptions,
): Promise<string> {
  const answer = await request(url, { dispatcher, signal, headers: { accept } }).catch(failed);
  // A body that nobody reads would hold its connection.
  if (answer.statusCode !== 200) {
    answer.body.on('error', () => {}).destroy();
    throw new DocumentFailed(`it answers ${answer.statusCode}`);
  }
  return (await cappedBytes(answer.body, bytesMax).catch(failed)).toString('utf8');
}

/** @throws DocumentFailed when there is more; whatever the connection throws. */
export async function cappedBytes(
  body: AsyncIterable<Buffer>,
  bytesMax: number,
): Promise<Buffer<ArrayBuffer>> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > bytesMax) throw new DocumentFailed(`what it answers is larger than ${bytesMax} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Whether it is refused, silent or unknown is told to nobody: that would say what stands in our own network. */
function failed(error: unknown): never {
  if (error instanceof DocumentFailed) throw error;
  throw new DocumentFailed('it does not answer', { cause: error });
}
