import type { Logger } from '@weft/core/logger';
import { describe, expect, it } from 'vitest';
import { createUnknownValues } from './unknown-values.ts';

describe('values that a description does not know', () => {
  it('are a warning when they first occur, of each operation, and no flood; the value stands at debug alone', () => {
    const lines: string[] = [];
    const note = (level: string) => (fields: { value?: string; chars?: number; operation: string }) =>
      void lines.push(`${level} ${fields.operation} ${fields.value ?? fields.chars}`);
    const logger = { warn: note('warn'), debug: note('debug') } as unknown as Logger;
    const tell = createUnknownValues(logger);
    const context = (operation: string) => ({ system: 'lamps', source: 'lamps', operation });
    for (const value of ['坏', '坏', 'x'.repeat(500)]) tell(context('GET /lamps'), value);
    tell(context('GET /lamp'), '坏');
    expect(lines).toEqual([
      'warn GET /lamps 1',
      'debug GET /lamps 坏',
      'debug GET /lamps 坏',
      'warn GET /lamps 500',
      `debug GET /lamps ${'x'.repeat(100)}`,
      'warn GET /lamp 1',
      'debug GET /lamp 坏',
    ]);
    for (let n = 0; n < 500; n += 1) tell(context('GET /lamps'), `v${n}`);
    expect(lines.filter((line) => line.startsWith('warn'))).toHaveLength(200);
  });
});
