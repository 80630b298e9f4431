// docs/stories.md and the command say the same of what can be played.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createHome, ROOT, removeHome } from '../support/hub.ts';
import { weft } from '../support/weft.ts';

const page = readFileSync(join(ROOT, 'docs', 'stories.md'), 'utf8');
const rows = [...page.matchAll(/^\| (\d+) (.+?) \| `weft story (\d+)` \| `(.+?)` \|$/gm)];

describe('docs/stories.md', () => {
  it('lists the stories that `weft story` plays, each with its test', async () => {
    const home = createHome();
    const { stdout } = await weft(home, 'story');
    removeHome(home);
    const played = [...stdout.matchAll(/^weft story (\d+) {3}(.+?): /gm)];
    expect(rows.map(([, number, name]) => [number, name])).toEqual(
      played.map(([, number, name]) => [number, name]),
    );
    for (const [, number, , command, folder = ''] of rows) {
      expect(command).toBe(number);
      expect(existsSync(join(ROOT, folder, 'story.test.ts')), folder).toBe(true);
    }
  });
});
