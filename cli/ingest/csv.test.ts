import { describe, expect, it } from 'vitest';
import { csvRow } from './csv.ts';

describe('a row of CSV', () => {
  it.each([
    ["=cmd|' /C calc'!A0", `"'=cmd|' /C calc'!A0"`],
    ['-2+3+cmd', `"'-2+3+cmd"`],
    ['\r=1+1', `"'\r=1+1"`],
    ['+1', `"'+1"`],
    ['@SUM(1)', `"'@SUM(1)"`],
    ['\t=1', `"'\t=1"`],
  ])('lets no spreadsheet calculate %j', (text, cell) => {
    expect(csvRow([text])).toBe(`${cell}\r\n`);
  });

  it('leaves other text as it is, quoted where it must be', () => {
    expect(csvRow(['路灯', 'a,b', 'say "x"', 'two\nlines', null, -3, ''])).toBe(
      '路灯,"a,b","say ""x""","two\nlines",,-3,\r\n',
    );
  });
});
