// Laws of the logger's writing, seen from outside of the process that logs.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { createLogger, INFO_LEVEL, openLineWriter } from './logger.ts';

const LOGGER = fileURLToPath(new URL('./logger.ts', import.meta.url));

let child: ChildProcess | undefined;
afterEach(() => child?.kill('SIGKILL'));

function run(body: string): ChildProcess {
  const program = `import { createLogger } from ${JSON.stringify(LOGGER)}; const logger = createLogger('test'); ${body}`;
  child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return child;
}

async function readAll(process: ChildProcess): Promise<string> {
  let text = '';
  process.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  await once(process, 'close');
  return text;
}

describe('createLogger', () => {
  it('loses no line when the process exits', async () => {
    const text = await readAll(
      run(`for (let i = 0; i < 1000; i += 1) logger.info({ i }, 'line'); process.exit(0);`),
    );
    const numbers = text
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { readonly i: number }).i);
    expect(numbers).toEqual(Array.from({ length: 1000 }, (_, i) => i));
  });

  it.each(['info', 'error'])('writes a single %s line while the process goes on', async (level) => {
    const process = run(`logger.${level}('alone'); setInterval(() => {}, 1000);`);
    const [chunk] = (await once(process.stdout as NodeJS.ReadableStream, 'data')) as [Buffer];
    expect(JSON.parse(chunk.toString('utf8'))).toMatchObject({ name: 'test', msg: 'alone' });
  });

  it('writes lines whole and in order, whatever their length and letters', async () => {
    const text = await readAll(
      run(`for (let i = 0; i < 3000; i += 1) logger.info({ i, text: '事件'.repeat(i % 400) }, 'line');`),
    );
    const lines = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { readonly i: number; readonly text: string });
    expect(lines.map(({ i }) => i)).toEqual(Array.from({ length: 3000 }, (_, i) => i));
    expect(lines.every(({ i, text: written }) => written === '事件'.repeat(i % 400))).toBe(true);
  });

  it('writes the time of each line to the millisecond', async () => {
    const before = Date.now();
    const text = await readAll(
      run(
        `let left = 30; const timer = setInterval(() => { logger.info({ at: Date.now() }, 'line'); if (--left === 0) { clearInterval(timer); process.exit(0); } }, 50);`,
      ),
    );
    const lines = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { readonly at: number; readonly time: string });
    expect(lines).toHaveLength(30);
    for (const { at, time } of lines) {
      expect(time).toBe(new Date(time).toISOString());
      expect(Math.abs(Date.parse(time) - at)).toBeLessThan(100);
      expect(Date.parse(time)).toBeGreaterThanOrEqual(before);
    }
  });

  it('redacts secrets one level down', async () => {
    const text = await readAll(run(`logger.info({ source: { password: 'p-1' } }, 'line'); process.exit(0);`));
    expect(text).toContain('[Redacted]');
    expect(text).not.toContain('p-1');
  });

  it('survives a reader that closes', async () => {
    const process = run(
      `logger.info('first'); setInterval(() => logger.error('more'), 5); setTimeout(() => process.exit(7), 600);`,
    );
    await once(process.stdout as NodeJS.ReadableStream, 'data');
    process.stdout?.destroy();
    const [code] = (await once(process, 'exit')) as [number];
    expect(code).toBe(7);
  });
});

describe('openLineWriter', () => {
  it('writes the line that the logger writes of the same fields', () => {
    const lines: string[] = [];
    const logger = createLogger('test', 'info', { write: (line) => lines.push(line) });
    for (const one of [logger, logger.child({ part: 'of "it"' })]) {
      openLineWriter(one, INFO_LEVEL, 'a "line"')(',"text":"t","count":1');
      one.info({ text: 't', count: 1 }, 'a "line"');
    }
    const timeless = lines.map((line) => line.replace(/"time":"[^"]+"/, ''));
    expect(timeless[0]).toBe(timeless[1]);
    expect(timeless[2]).toBe(timeless[3]);
    expect(lines[0]).toMatch(
      /^\{"level":30,"time":"\d{4}-\d\d-\d\dT[^"]+Z","pid":\d+,.*"msg":"a \\"line\\""\}\n$/,
    );
  });

  it('loses no line when the process exits', async () => {
    const text = await readAll(
      run(
        `const { openLineWriter } = await import(${JSON.stringify(LOGGER)}); const write = openLineWriter(logger, 30, 'line'); for (let i = 0; i < 1000; i += 1) write(',"i":' + i); process.exit(0);`,
      ),
    );
    expect(text.trim().split('\n')).toHaveLength(1000);
  });
});
