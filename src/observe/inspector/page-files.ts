import { readFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';

import { send, sendError } from './answers.ts';

const TYPES: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml',
};

/** A plain name with a known ending: nothing outside the folder can be asked for. */
const NAME = /^[a-z][a-z-]*\.(html|css|js|svg)$/;

const files = new Map<string, Promise<Buffer>>();

/** Sends the page itself, with the key that its requests carry. */
export function sendPage(response: ServerResponse, key: string): void {
  read('index.html').then(
    (page) =>
      send(response, 200, page.toString('utf8').replace('content="KEY"', `content="${key}"`), [
        'Content-Type',
        TYPES['html']!,
      ]),
    () => sendError(response, 404, 'the page has no such file'),
  );
}

/** Sends a file of the page; each is read once, when first asked for. */
export function sendPageFile(response: ServerResponse, name: string): void {
  const type = TYPES[NAME.exec(name)?.[1] ?? ''];
  if (type === undefined) {
    sendError(response, 404, 'the page has no such file');
    return;
  }
  read(name).then(
    (content) => send(response, 200, content, ['Content-Type', type]),
    () => sendError(response, 404, 'the page has no such file'),
  );
}

function read(name: string): Promise<Buffer> {
  let content = files.get(name);
  if (content === undefined) {
    content = readFile(new URL(`./page/${name}`, import.meta.url));
    files.set(name, content);
    // A name that does not exist is not remembered: names come from requests.
    content.catch(() => files.delete(name));
  }
  return content;
}
