// The closing lines of every run: the files that took longest, and `tests: N passed, N failed, N skipped`.
import type { Reporter, TestModule } from 'vitest/node';

const SLOWEST_TOLD = 25;

export default class Tally implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly unknown[]): void {
    const counts = { passed: 0, failed: unhandled.length, skipped: 0, pending: 0 };
    for (const module of modules) {
      for (const test of module.children.allTests()) counts[test.result().state]++;
      // A file that could not be loaded, or a hook that threw, has no test to show for it.
      if (module.state() === 'failed' && module.errors().length > 0) counts.failed++;
    }
    const line = `tests: ${counts.passed} passed, ${counts.failed} failed, ${counts.skipped + counts.pending} skipped`;
    const slowest = modules
      .map((module) => [module.diagnostic().duration, module.relativeModuleId] as const)
      .sort(([left], [right]) => right - left)
      .slice(0, SLOWEST_TOLD)
      .map(([ms, file]) => `${Math.round(ms / 1_000)} s ${file}`);
    process.on('exit', () => console.log(`took longest: ${slowest.join(', ')}\n${line}`));
  }
}
