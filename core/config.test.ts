import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { port, readConfig } from './config.ts';
import { OperatorError } from './errors.ts';

describe('readConfig', () => {
  const shape = { PORT: port.default(4000), RATE: z.coerce.number().min(0).default(1) };

  it('fills in defaults, takes an empty text for an absent one, and freezes the result', () => {
    const config = readConfig(shape, { PORT: '', RATE: '2' });
    expect(config).toEqual({ PORT: 4000, RATE: 2 });
    expect(Object.isFrozen(config)).toBe(true);
  });

  it('names every problem at once', () => {
    expect(() => readConfig(shape, { PORT: '70000', RATE: 'x', WEFT_PROT: '1' })).toThrow(
      /WEFT_PROT is not a setting of weft: remove it; PORT: .*65535; RATE: /,
    );
  });

  it.each([
    ['WEFT_LOGLEVEL', 'remove it, or did you mean WEFT_LOG_LEVEL?'],
    ['WEFT_SUPERGRAPH_FILES', 'remove it, or did you mean WEFT_SUPERGRAPH_FILE?'],
    ['WEFT_SOMETHING_ELSE_ALTOGETHER', 'remove it'],
  ])('names the setting that is nearest to the unknown %s', (name, advice) => {
    expect(() => readConfig(shape, { [name]: '1' })).toThrow(
      new OperatorError(`settings: ${name} is not a setting of weft: ${advice}`, { exitCode: 2 }),
    );
  });

  it('knows the settings of other parts of the hub', () => {
    expect(readConfig(shape, { WEFT_HOME: 'elsewhere' }).PORT).toBe(4000);
  });
});
