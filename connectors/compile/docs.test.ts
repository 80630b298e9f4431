import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type InputValueDefinitionNode, Kind, parse, print } from 'graphql';
import { describe, expect, test } from 'vitest';
import { BUILD_CODES } from './build-issues.ts';
import { checkFolder } from './check.ts';

const DOCS = readFileSync(new URL('../../docs/connectors.md', import.meta.url), 'utf8');
const SDL = parse(readFileSync(new URL('./directives.graphql', import.meta.url), 'utf8'));

/** The row of an argument: name, type, default; then come an example and what it is. */
function rowOf({ name, type, defaultValue }: InputValueDefinitionNode): string {
  return `| \`${name.value}\` | ${print(type)} | ${defaultValue === undefined ? '' : `\`${print(defaultValue)}\``} |`;
}

/** The text from the heading of `name` to the next heading. */
function sectionOf(name: string): string {
  const start = DOCS.indexOf(`### ${name}\n`);
  if (start === -1) return '';
  const end = DOCS.indexOf('\n#', start + 1);
  return DOCS.slice(start, end === -1 ? undefined : end);
}

const tables = SDL.definitions.flatMap((node) => {
  if (node.kind === Kind.DIRECTIVE_DEFINITION)
    return [{ name: `@${node.name.value}`, rows: node.arguments ?? [] }];
  return node.kind === Kind.INPUT_OBJECT_TYPE_DEFINITION
    ? [{ name: node.name.value, rows: node.fields ?? [] }]
    : [];
});

describe('docs/connectors.md', () => {
  test.each(tables)('has the arguments of $name with type and default, and no others', ({ name, rows }) => {
    const section = sectionOf(name);
    for (const row of rows) expect(section).toContain(rowOf(row));
    expect([...section.matchAll(/^\| `/gm)]).toHaveLength(rows.length);
    for (const line of section.split('\n').filter((text) => text.startsWith('| `'))) {
      expect(line.split(' | ').length, line).toBe(5);
      expect(line.split(' | ')[3], `the example in ${line}`).toMatch(/^`.+`$/);
    }
  });

  test('has every value of every enum', () => {
    for (const node of SDL.definitions) {
      if (node.kind !== Kind.ENUM_TYPE_DEFINITION) continue;
      for (const value of node.values ?? []) expect(DOCS).toContain(`\`${value.name.value}\``);
    }
  });

  test('has every build code with its severity and sentence, and no others', () => {
    for (const [code, { severity, means }] of Object.entries(BUILD_CODES)) {
      expect(DOCS).toContain(`| ${code} | ${severity} | ${means} |`);
    }
    expect([...DOCS.matchAll(/^\| [A-Z_]+ \| (?:error|warning) \|/gm)]).toHaveLength(
      Object.keys(BUILD_CODES).length,
    );
  });

  test('the examples compile, with nothing but the warnings that it explains', () => {
    const folder = mkdtempSync(join(tmpdir(), 'weft-docs-'));
    try {
      const [, epb = ''] = /```graphql\n# epb\.graphql\n([\s\S]*?)```/.exec(DOCS) ?? [];
      writeFileSync(join(folder, 'epb.graphql'), epb);
      expect(checkFolder(folder)).toEqual({ ok: true, issues: [] });
      rmSync(join(folder, 'epb.graphql'));
      const [, sdl = ''] = /```graphql\n# permits\.graphql\n([\s\S]*?)```/.exec(DOCS) ?? [];
      mkdirSync(dirname(join(folder, 'contracts/Permits.wsdl')), { recursive: true });
      writeFileSync(join(folder, 'contracts/Permits.wsdl'), '<definitions/>');
      writeFileSync(join(folder, 'permits.graphql'), sdl);
      const { ok, issues } = checkFolder(folder);
      expect(issues.filter(({ severity }) => severity === 'error')).toEqual([]);
      expect(ok).toBe(true);
      expect(issues.map(({ code }) => code)).toEqual(['FRESHNESS_NOT_APPLIED']);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
