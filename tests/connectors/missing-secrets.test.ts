// A connector host without its secrets: told of all of them at its first start, before anything is opened.
import { fileURLToPath } from 'node:url';
import { compileSystem } from '@weft/connectors/compile/compile';
import { startHost } from '@weft/connectors/host';
import { createLogger } from '@weft/core/logger';
import { openSecrets } from '@weft/core/secrets';
import { postgresAppender } from '@weft/events/postgres/appender';
import { describe, expect, it } from 'vitest';

const planOf = (system: string) =>
  compileSystem(fileURLToPath(new URL(`../../subgraphs/${system}`, import.meta.url))).plan;

describe('a connector host without secrets', () => {
  const systems = ['hotline', 'police', 'urban-management', 'market-supervision'].map(planOf);
  const start = (env: Readonly<Record<string, string>>) =>
    startHost({
      ...{ systems, env: {}, appender: postgresAppender, logger: createLogger('test', 'silent') },
      // Nobody answers there: what is missing is told before it is asked.
      databaseUrl: 'postgres://nobody@127.0.0.1:9/nothing',
      secrets: openSecrets(undefined, env),
      ...{ host: '127.0.0.1', servePort: 0, ingestPort: 0 },
    });

  it('names every one that some system needs, of calls, log-ins and webhooks alike, in one line', async () => {
    const message = await start({ SECRET_HOTLINE_APP_KEY: 'there' }).then(
      () => '',
      (thrown: Error) => thrown.message,
    );
    const needed = systems
      .flatMap(({ secrets = [] }) => secrets)
      .filter((name) => name !== 'hotline-app-key');
    expect(needed.length).toBeGreaterThan(4);
    for (const name of needed) expect(message).toContain(`secret "${name}" is missing: set SECRET_`);
    expect(message).toContain('(for hotline)');
    expect(message).not.toContain('hotline-app-key');
    expect(message).not.toContain('\n');
  });
});
