import { ERROR_CODES } from '@weft/core/errors';
import { describe, expect, it } from 'vitest';
import { read } from './source-files.ts';

describe('docs/errors.md', () => {
  it('lists every code with its statuses and its sentence, and no other', () => {
    const rows = [
      ...read('docs/errors.md').matchAll(/^\| `([A-Z_]+)`\s*\| (\d+)\s*\| (\d+)\s*\| (.+?)\s*\|$/gm),
    ];
    const listed = rows.map(([, code, httpStatus, closeCode, means]) => [
      code,
      { httpStatus: Number(httpStatus), closeCode: Number(closeCode), means },
    ]);
    expect(Object.fromEntries(listed)).toEqual(ERROR_CODES);
  });
});
