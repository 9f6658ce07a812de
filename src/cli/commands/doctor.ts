import { cpus, freemem, totalmem } from 'node:os';
import { compile } from '../../compile/compile.ts';
import { eager } from '../../compile/eager.ts';
import type { HostTensor } from '../../compile/types.ts';
import { messageOf } from '../../core/errors.ts';
import { shortPath } from '../../core/files.ts';
import { p } from '../../core/params.ts';
import { cpuName } from '../../evaluate/provenance.ts';
import { architectures } from '../../models/registry.ts';
import { tf } from '../../tf.ts';
import { listCheckpoints } from '../checkpoints.ts';
import { defineCommand, EXIT } from '../command.ts';
import type { Finding } from '../doctor/finding.ts';
import { datasets, graphics, publishedWeights, threads } from '../doctor/offers.ts';
import { packageFacts } from '../paths.ts';
import { commitOf, installedVersion, packageVersions } from '../surroundings.ts';

/** Largest relative difference between compiled and reference gradients that float32 rounding explains. */
const TOLERANCE = 1e-4;

export const doctor = defineCommand({
  flags: { json: p.boolean(false, 'print the findings as JSON') },
  run: async ({ values, terminal }) => {
    const findings = [
      ...[...machine(), threads(), ...graphics(), await compiledGradient(), ...packages(), await checkpoints()],
      ...[publishedWeights(), ...(await datasets())],
    ];
    if (values.json) {
      terminal.print(JSON.stringify(findings, null, 2));
    } else {
      const width = Math.max(...findings.map(({ name }) => name.length));
      for (const { name, found, well, advice } of findings) {
        terminal.print(`${well ? ' ' : '!'} ${name.padEnd(width)}  ${found}`);
        if (advice !== undefined) terminal.print(`  ${''.padEnd(width)}  → ${advice}`);
      }
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

/** The real check: the gradient of a small convolutional network, compiled, beside TensorFlow.js's own reference. */
async function compiledGradient(): Promise<Finding> {
  const name = 'compiled gradient';
  try {
    const [compiled, reference] = [await gradientBy(compile), await gradientBy(eager)];
    const largest = Math.max(...reference.data.map(Math.abs));
    const difference = Math.max(
      ...reference.data.map((value, i) => Math.abs(value - (compiled.data[i] ?? Number.NaN))),
    );
    const relative = difference / largest;
    const well = relative <= TOLERANCE;
    const verdict = well ? 'agrees with' : 'DIFFERS from';
    return { name, found: `${verdict} the reference: largest relative difference ${relative.toExponential(1)}`, well };
  } catch (error) {
    return { name, found: `fails: ${messageOf(error)}`, well: false };
  }
}

const SIDE = 8;
const FILTERS = 4;

async function gradientBy(prepare: typeof eager): Promise<HostTensor> {
  await tf.setBackend('cpu');
  const filters = tf.tensor4d(waves(3 * 3 * FILTERS), [3, 3, 1, FILTERS]);
  const loss = (x: tf.Tensor): tf.Tensor => {
    const features: tf.Tensor4D = tf.conv2d(x as tf.Tensor4D, filters, 1, 'same').relu();
    return tf.maxPool(features, 2, 2, 'valid').logSumExp();
  };
  const gradient = await prepare((x) => tf.grad(loss)(x), [{ shape: [2, SIDE, SIDE, 1] }], { name: 'doctor' });
  try {
    return await gradient(waves(2 * SIDE * SIDE));
  } finally {
    await gradient.release();
    filters.dispose();
  }
}

/** Numbers without ties or pattern, the same on every machine. */
const waves = (length: number): Float32Array => Float32Array.from({ length }, (_, i) => Math.sin(1 + 7 * i));

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
  const paths = found.map(({ path }) => shortPath(path));
  return {
    name: 'checkpoints',
    found: paths.length === 0 ? 'none: npm run train makes them' : paths.join(', '),
    well: paths.length > 0,
  };
}
