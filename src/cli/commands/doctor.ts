import { cpus, freemem, totalmem } from 'node:os';
import { dirname } from 'node:path';
import { shortPath } from '../../core/files.ts';
import { p } from '../../core/params.ts';
import { cpuName } from '../../evaluate/provenance.ts';
import { architectures } from '../../models/registry.ts';
import { listCheckpoints } from '../checkpoints.ts';
import { defineCommand, EXIT } from '../command.ts';
import { backends } from '../doctor/backends.ts';
import type { Finding } from '../doctor/finding.ts';
import { findingLines } from '../doctor/lines.ts';
import { datasets, graphics, publishedWeights, runtime, threads } from '../doctor/offers.ts';
import { packageFacts } from '../paths.ts';
import { commitOf, installedVersion, packageVersions } from '../surroundings.ts';

export const doctor = defineCommand({
  flags: { json: p.boolean(false, 'print the findings as JSON') },
  run: async ({ values, terminal }) => {
    const findings = [
      ...[...machine(), threads(), runtime(), graphics(), ...(await backends(terminal))],
      ...[...packages(), await checkpoints()],
      ...[publishedWeights(), ...(await datasets())],
    ];
    if (values.json) {
      terminal.print(JSON.stringify(findings, null, 2));
    } else {
      for (const line of findingLines(findings, terminal.width)) terminal.print(line);
    }
    return findings.every(({ well }) => well) ? EXIT.ok : EXIT.failed;
  },
});

const GIB = 2 ** 30;

const machine = (): Finding[] => [
  { name: 'gibbon', found: [packageFacts().version, commitOf() ?? []].flat().join(', '), well: true },
  { name: 'node', found: `${process.version}, ${process.platform} ${process.arch}`, well: true },
  { name: 'processor', found: `${cpuName()}, ${cpus().length} cores`, well: true },
  {
    name: 'memory',
    found: `${(totalmem() / GIB).toFixed(1)} GiB, ${(freemem() / GIB).toFixed(1)} free`,
    well: true,
  },
];

function packages(): Finding[] {
  const { optionalDependencies } = packageFacts();
  const required = Object.entries(packageVersions()).filter(([name]) => !(name in optionalDependencies));
  const optional = Object.keys(optionalDependencies).map((name) => `${name} ${installedVersion(name) ?? 'absent'}`);
  return [
    { name: 'packages', found: required.map((entry) => entry.join(' ')).join(', '), well: true },
    { name: 'optional packages', found: optional.join(', '), well: true },
  ];
}

async function checkpoints(): Promise<Finding> {
  const found = await listCheckpoints(architectures.map(({ name }) => name));
  const folders = new Set(found.map(({ path }) => dirname(path)));
  const listed = [...folders].map((folder) => {
    const here = found.filter(({ path }) => dirname(path) === folder);
    const names = here.map(({ architecture, training }) => `${architecture}-${training}`);
    return `${shortPath(folder)}: ${names.join(', ')}`;
  });
  return {
    name: 'checkpoints',
    found: listed.length === 0 ? 'none: npm run train makes them' : listed.join('; '),
    well: listed.length > 0,
  };
}
