// A part of a long run, in a process of its own: what ends the process ends this part only.
import { type CampaignOptions, runCampaign } from './campaign.ts';

const options = JSON.parse(process.argv[2] ?? '') as CampaignOptions;
const send = (message: unknown) => void process.send?.(message);

const report = await runCampaign({
  ...options,
  onProgress: (done) => send({ kind: 'progress', done }),
  onAsking: (graphSeed, { query, variables }) => send({ kind: 'asking', graphSeed, query, variables }),
});
send({
  kind: 'report',
  report: {
    ...report,
    features: [...report.features],
    engines: [...report.engines].map(([name, engine]) => [
      name,
      { ...engine, known: [...engine.known], refusals: [...engine.refusals], knownCases: [] },
    ]),
  },
});
