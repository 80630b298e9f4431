// The pages load nothing but what the hub itself serves, and all of that exists.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const FOLDER = dirname(fileURLToPath(import.meta.url));
const PUBLIC = join(FOLDER, 'public');
const ASSETS: Readonly<Record<string, string>> = JSON.parse(
  readFileSync(join(FOLDER, 'assets.json'), 'utf8'),
);
const PAGES = readdirSync(PUBLIC, { recursive: true, encoding: 'utf8' }).map((file) =>
  file.replaceAll('\\', '/'),
);

/** The file behind a URL path, whether ours or from a package. */
function fileOf(path: string): string {
  const asset = ASSETS[path];
  return asset === undefined ? join(PUBLIC, path) : join(FOLDER, 'node_modules', asset);
}

/** What a script imports, as URL paths. */
function importsOf(path: string): readonly string[] {
  const text = readFileSync(fileOf(path), 'utf8');
  return [...text.matchAll(/^(?:import|export)\s[^'"]*?from\s*['"]([^'"]+)['"]/gm)].map((match) =>
    posix.resolve(posix.dirname(path), match[1] ?? ''),
  );
}

describe('the pages', () => {
  test('every asset from a package exists and has a licence file beside its package', () => {
    for (const [path, file] of Object.entries(ASSETS)) {
      expect(existsSync(join(FOLDER, 'node_modules', file)), `${path} -> ${file}`).toBe(true);
      const packageFolder = join(FOLDER, 'node_modules', file.split('/')[0] ?? '');
      expect(
        readdirSync(packageFolder).some((name) => /^licen[cs]e/i.test(name)),
        file,
      ).toBe(true);
    }
  });

  test('every src and href of a page is a path that the hub serves', () => {
    const html = PAGES.filter((file) => file.endsWith('.html'));
    expect(html).toEqual(expect.arrayContaining(['index.html', 'explorer.html']));
    for (const page of html) {
      const links = [...readFileSync(join(PUBLIC, page), 'utf8').matchAll(/\s(?:src|href)="([^"#]+)"/g)];
      for (const [, path = ''] of links) {
        expect(path === '/explorer' || existsSync(fileOf(path)), `${page}: ${path}`).toBe(true);
      }
    }
  });

  test('every import of a script is a path that the hub serves', () => {
    const scripts = [
      ...PAGES.filter((file) => file.endsWith('.js')).map((file) => `/${file}`),
      '/vendor/graphql-ws/client.js',
    ];
    for (const script of scripts) {
      for (const path of importsOf(script)) expect(existsSync(fileOf(path)), `${script}: ${path}`).toBe(true);
    }
    expect(importsOf('/vendor/graphql-ws/client.js')).toContain('/vendor/graphql-ws/common-CGW11Fyb.js');
  });

  test('no page or script of ours holds an inline script, an inline handler, markup from data or a foreign address', () => {
    for (const file of PAGES.filter((name) => /\.(html|js|css)$/.test(name))) {
      const text = readFileSync(join(PUBLIC, file), 'utf8');
      expect(text, file).not.toMatch(/<script(?![^>]*\ssrc=)/);
      expect(text, file).not.toMatch(/\son[a-z]+="/);
      expect(text, file).not.toMatch(/innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(/);
      expect(text, file).not.toMatch(/https?:\/\//);
    }
  });
});
