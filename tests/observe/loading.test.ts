// A gateway pays for the libraries of metrics and traces only where they are switched on.
import { describe, expect, it } from 'vitest';
import { read, sourceFiles } from '../architecture/source-files.ts';

const files = sourceFiles(['.ts']).filter(
  (file) => file.startsWith('gateway/') && !file.endsWith('.test.ts'),
);

/** Files with an import that is carried out when they are loaded: types are stripped and cost nothing. */
const importersOf = (specifier: RegExp) =>
  files.filter((file) =>
    [...read(file).matchAll(/^(?:import|export)\s+(?!type\b)[^'"]*?from\s+'([^']+)'/gms)].some(
      ([, from = '']) => specifier.test(from),
    ),
  );

describe('the libraries of metrics and traces', () => {
  it('are imported by one file each, which nothing imports but when it is switched on', () => {
    expect(importersOf(/^@opentelemetry\//)).toEqual(['gateway/observe/spans.ts']);
    expect(importersOf(/^prom-client$/)).toEqual(['gateway/observe/metrics.ts']);
    expect(importersOf(/observe\/(?:spans|metrics)\.ts$|^\.\/(?:spans|metrics)\.ts$/)).toEqual([]);
  });
});
