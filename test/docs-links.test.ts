/** Every relative link in the Markdown files leads to a file that is there, and to a heading that stands in it. */

import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { root } from './support/sources.ts';

const pages = globSync('**/*.md', {
  cwd: root,
  exclude: (path) => path.includes('node_modules') || /(^|\/)\.[^/]/.test(path),
}).sort();

/** Text without what is code: there a bracket is a bracket. */
function prose(path: string): string {
  return readFileSync(join(root, path), 'utf8')
    .replace(/^```[\s\S]*?^```$/gm, '')
    .replace(/`[^`\n]*`/g, (code) => code.replace(/[[\]()]/g, ' '));
}

/** As GitHub names headings: lower case, no punctuation, dashes for spaces, a number for the second of a name. */
function anchorsOf(path: string): Set<string> {
  const anchors = new Set<string>();
  for (const [, heading = ''] of prose(path).matchAll(/^#{1,6} +(.+)$/gm)) {
    const plain = heading
      .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .trim()
      .toLowerCase();
    const slug = plain.replace(/[^\p{L}\p{N}\s_-]/gu, '').replace(/\s/g, '-');
    let anchor = slug;
    for (let n = 1; anchors.has(anchor); n++) anchor = `${slug}-${n}`;
    anchors.add(anchor);
  }
  return anchors;
}

function deadLinks(page: string): string[] {
  const links = [...prose(page).matchAll(/\]\(\s*<?([^)>\s]+)>?[^)]*\)/g)].map(([, link = '']) => link);
  return links.filter((link) => {
    if (/^[a-z][a-z+.-]*:/i.test(link)) return false;
    const [path = '', anchor] = decodeURI(link).split('#');
    const file = path === '' ? page : relative(root, join(root, dirname(page), path));
    if (!existsSync(join(root, file))) return true;
    return anchor !== undefined && !anchorsOf(file).has(anchor);
  });
}

describe('the documentation', () => {
  it('is found', () => expect(pages).toContain('README.md'));

  it.each(pages)('%s has no dead link', (page) => expect(deadLinks(page)).toEqual([]));
});
