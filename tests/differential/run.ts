// The long form: node tests/differential/run.ts --supergraphs 200 --operations 10000 --seed 1 [--engine weft|apollo|both] [--cases FOLDER], or --replay FILE.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { CampaignReport, Case } from './campaign.ts';
import { disagreement } from './compare.ts';
import { ENGINES, type EngineName } from './engines.ts';
import { runLong } from './long-run.ts';
import { printReport, shortfalls } from './report.ts';
import { startGraph } from './running-graph.ts';
import { startSubgraphServer } from './serve/server.ts';

const { values } = parseArgs({
  options: {
    supergraphs: { type: 'string', default: '200' },
    operations: { type: 'string', default: '10000' },
    seed: { type: 'string', default: '1' },
    engine: { type: 'string', default: 'weft' },
    cases: { type: 'string', default: join(import.meta.dirname, 'cases') },
    'cases-max': { type: 'string', default: '20' },
    replay: { type: 'string' },
  },
});

const FULL_OPERATIONS = 10_000;

process.exitCode = (await (values.replay === undefined ? runWhole() : replay(values.replay))) ? 0 : 1;

async function runWhole(): Promise<boolean> {
  const startedAtMs = performance.now();
  const { report, crashes } = await runLong({
    seed: Number(values.seed),
    supergraphs: Number(values.supergraphs),
    operations: Number(values.operations),
    engines: values.engine === 'both' ? ENGINES : [engineNamed(values.engine)],
    casesMax: Number(values['cases-max']),
    onProgress: (done) => process.stderr.write(`\r${done} operations `),
  });
  process.stderr.write('\n');
  console.log(`seed ${values.seed}, ${((performance.now() - startedAtMs) / 1000).toFixed(0)} s\n`);
  console.log(printReport(report));
  for (const one of casesOf(report)) console.log(`${one.engine}: ${one.what}: ${writeCase(one)}`);
  for (const { exit, graphSeed, query, variables } of crashes) {
    console.log(
      `the process ended (${exit}) on graph ${graphSeed} with ${JSON.stringify(variables)}:\n${query}`,
    );
  }
  // A short run proves nothing about how often a feature is used.
  const lacking = Number(values.operations) < FULL_OPERATIONS ? [] : shortfalls(report);
  for (const what of lacking) console.log(`too little: ${what}`);
  const engines = [...report.engines.values()];
  return lacking.length + crashes.length === 0 && engines.every((engine) => engine.disagreements === 0);
}

function casesOf(report: CampaignReport): readonly Case[] {
  return [...report.engines.values()].flatMap((engine) => engine.cases);
}

function writeCase(one: Case): string {
  mkdirSync(values.cases, { recursive: true });
  const file = join(values.cases, `${one.hash}.json`);
  writeFileSync(file, `${JSON.stringify(one, null, 2)}\n`);
  return file;
}

/** Runs a saved case again, on the graph that its seed gives. */
async function replay(file: string): Promise<boolean> {
  const saved = JSON.parse(readFileSync(file, 'utf8')) as Case;
  const server = await startSubgraphServer();
  const running = await startGraph(saved.graphSeed, server, [saved.engine]);
  try {
    const withoutUrls = (sdl: string) => sdl.replace(/url: "http[^"]*"/g, '');
    if (withoutUrls(running.supergraphSdl) !== withoutUrls(saved.supergraph)) {
      console.log('the generator has changed since: this seed gives another graph now');
      return false;
    }
    const [engine] = running.engines;
    if (engine === undefined) {
      console.log(`refused: ${[...running.refusals.values()].join('')}`);
      return false;
    }
    const expected = await running.judge(saved.operation, saved.variables);
    const got = await running.ask(engine, saved.operation, saved.variables);
    const what = disagreement(expected, got);
    console.log(`${saved.operation}\n${JSON.stringify(saved.variables)}`);
    console.log(`expected ${JSON.stringify(expected)}\ngot      ${JSON.stringify(got)}`);
    console.log(what ?? 'the answers agree');
    return what === undefined;
  } finally {
    await running.close();
    await server.close();
  }
}

function engineNamed(name: string): EngineName {
  const known = ENGINES.find((engine) => engine === name);
  if (known === undefined) throw new Error(`there is no engine ${name}: weft, apollo or both`);
  return known;
}
