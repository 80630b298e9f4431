import { describe, expect, it } from 'vitest';
import { read, sourceFiles } from './source-files.ts';

const FILE_LINES_MAX = 500;
const FUNCTION_LINES_MAX = 70;

const files = sourceFiles(['.ts', '.mjs']).filter((file) => !file.endsWith('.d.ts'));
const own = files.filter(
  (file) => !/^(tests|simulators|cli|scripts)\//.test(file) && !file.endsWith('.test.ts'),
);

function offenders(among: readonly string[], pattern: RegExp): readonly string[] {
  return among.flatMap((file) =>
    read(file)
      .split('\n')
      .flatMap((line, index) => (pattern.test(line) ? [`${file}:${index + 1} ${line.trim()}`] : [])),
  );
}

/** Line spans of functions, methods and arrow functions with a body, found by their closing brace's indentation. */
function longFunctions(file: string): readonly string[] {
  const lines = read(file).split('\n');
  return lines.flatMap((line, start) => {
    const head =
      /^(\s*)(?:export )?(?:default )?(?:async )?(?:function\b|static |readonly |#?\w+\(|(?:const|let) \w+ = (?:async )?(?:\([^)]*\)|\w+)[^=]*=>)/.exec(
        line,
      );
    if (
      head === null ||
      !line.trimEnd().endsWith('{') ||
      /^\s*(?:if|for|while|switch|catch|describe|it|test|return)\b/.test(line)
    )
      return [];
    const end = lines.findIndex((candidate, index) => index > start && candidate.startsWith(`${head[1]}}`));
    const length = end - start + 1;
    return length > FUNCTION_LINES_MAX ? [`${file}:${start + 1} ${length} lines`] : [];
  });
}

describe('the house style', () => {
  it(`keeps files up to ${FILE_LINES_MAX} lines`, () => {
    expect(files.filter((file) => read(file).split('\n').length > FILE_LINES_MAX)).toEqual([]);
  });

  it(`keeps functions up to ${FUNCTION_LINES_MAX} lines`, () => {
    expect(files.filter((file) => !/(\.test|-suite)\.ts$/.test(file)).flatMap(longFunctions)).toEqual([]);
  });

  it('throws HubError, OperatorError or an invariant, never a plain Error, outside core, simulators and tests', () => {
    const watched = files.filter(
      (file) => !/^(core|simulators|tests|scripts)\//.test(file) && !file.endsWith('.test.ts'),
    );
    expect(offenders(watched, /throw new Error\(/)).toEqual([]);
  });

  it('reads the environment in one config.ts a process, to which main.ts hands it', () => {
    const others = own.filter((file) => !file.endsWith('config.ts') && !file.startsWith('core/'));
    expect(offenders(others, /process\.env[.[]/)).toEqual([]);
    expect(
      offenders(
        others.filter((file) => !file.endsWith('/main.ts')),
        /process\.env\b/,
      ),
    ).toEqual([]);
  });

  it('has no any, no suppressed type error and no console', () => {
    expect(
      offenders(files, /^(?!\s*(?:\/\/|\*|\/\*)).*(?:: any\b|\bas any\b)|@ts-(?:ignore|nocheck)/).filter(
        (hit) => !hit.startsWith('tests/architecture/'),
      ),
    ).toEqual([]);
    expect(offenders(own, /\bconsole\.\w+\(/)).toEqual([]);
  });

  it('has no folder or file called utils, helpers, common, misc or manager, and no barrel', () => {
    expect(
      files.filter((file) => /(^|\/)(utils?|helpers?|common|misc|managers?)(\/|\.ts$)/.test(file)),
    ).toEqual([]);
    expect(files.filter((file) => /\/index\.ts$/.test(file))).toEqual([]);
  });

  it('begins every file with one sentence that says what it is', () => {
    const headless = own.filter((file) => !/^(#!.*\n)?\/\/ \S/.test(read(file)));
    expect(headless).toEqual([]);
  });
});
