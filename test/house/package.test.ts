import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PACKAGE_ROOT } from '../../src/cli/paths.ts';

const read = (file: string): string => readFileSync(join(PACKAGE_ROOT, file), 'utf8');
const manifest = JSON.parse(read('package.json'));
const lock = JSON.parse(read('package-lock.json'));

describe('the package', () => {
  it('has a script for every job', () => {
    const jobs = ['experiment', 'train', 'report', 'list', 'check-attack', 'doctor', 'bench', 'test', 'build'];
    expect(Object.keys(manifest.scripts)).toEqual(expect.arrayContaining(jobs));
  });

  it('runs files that are there', () => {
    for (const script of Object.values<string>(manifest.scripts)) {
      for (const [file] of script.matchAll(/\S+\.(ts|js|json)\b/g))
        expect(existsSync(join(PACKAGE_ROOT, file)), file).toBe(true);
    }
  });

  it.each([manifest.bin.gibbon, '.ci/run'])('brings %s, which can be executed', (file) => {
    expect(statSync(join(PACKAGE_ROOT, file)).mode & 0o111).not.toBe(0);
    expect(read(file)).toMatch(/^#!\/usr\/bin\/env (node|bash)\n/);
  });

  it('installs without its native extras: what may fail is optional, what downloads is told not to', () => {
    expect(manifest.optionalDependencies).toHaveProperty('@tensorflow/tfjs-node-gpu');
    expect(manifest.dependencies).not.toHaveProperty('@tensorflow/tfjs-node-gpu');
    expect(read('.npmrc')).toMatch(/^onnxruntime-node-install=skip$/m);
  });

  it('locks the versions that it names', () => {
    const root = lock.packages[''];
    expect(root.version).toBe(manifest.version);
    expect(root.dependencies).toEqual(manifest.dependencies);
    expect(root.devDependencies).toEqual(manifest.devDependencies);
  });

  it('locks what other platforms need too: npm ci refuses a lock without it', () => {
    const locked = Object.keys(lock.packages).map((path) => path.replace(/^.*node_modules\//, ''));
    for (const [path, { optionalDependencies = {} }] of Object.entries<{ optionalDependencies?: object }>(
      lock.packages,
    )) {
      expect(locked, path).toEqual(expect.arrayContaining(Object.keys(optionalDependencies)));
    }
  });

  it('carries its papers', () => {
    for (const file of ['README.md', 'LICENSE', 'CONTRIBUTING.md', 'CHANGELOG.md', 'CITATION.cff']) {
      expect(existsSync(join(PACKAGE_ROOT, file)), file).toBe(true);
    }
    expect(read('CHANGELOG.md')).toContain(`## [${manifest.version}]`);
    expect(read('CITATION.cff')).toMatch(new RegExp(`^version: ${manifest.version}$`, 'm'));
  });
});
