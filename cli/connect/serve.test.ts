import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { withFile } from './serve.ts';

describe('the file of --env', () => {
  const folder = mkdtempSync(join(tmpdir(), 'weft-env-'));
  const file = join(folder, 'lamps.env');
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const read = (text: string) => {
    writeFileSync(file, text);
    return withFile({ LAMPS_URL: 'http://before' }, file);
  };

  it('goes before the environment, with values of several lines', () => {
    const key = '-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0\nAbC/d+e\n-----END PRIVATE KEY-----';
    const text = `# of the lamps\n\nexport LAMPS_URL=http://lamps:80/a\nSECRET_KEY="${key}"\n`;
    expect(read(text)).toEqual({ LAMPS_URL: 'http://lamps:80/a', SECRET_KEY: key });
  });

  it.each(['LAMPS_URL http://lamps', 'LAMPS_URL: http://lamps', 'export LAMPS_URL http://lamps'])(
    'is refused with the line that sets nothing: %s',
    (line) => {
      expect(() => read(`A=1\n${line}\n`)).toThrow(`--env ${file}:2: expected NAME=value`);
    },
  );
});
