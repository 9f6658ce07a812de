import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bashScript } from '../../src/cli/completion/bash.ts';
import { type DescribedCommand, describeCommands, SHELLS } from '../../src/cli/completion/describe.ts';
import { fishScript } from '../../src/cli/completion/fish.ts';
import { zshScript } from '../../src/cli/completion/zsh.ts';
import { main } from '../../src/cli/main.ts';
import { listen } from './workplace.ts';

let commands: readonly DescribedCommand[];
let folder: string;
beforeAll(async () => {
  commands = await describeCommands();
  folder = mkdtempSync(join(tmpdir(), 'gibbon-completion-'));
  writeFileSync(join(folder, 'my photo.jpg'), '');
});
afterAll(() => rmSync(folder, { recursive: true }));

const flagOf = (command: string, flag: string) =>
  commands.find(({ name }) => name === command)?.flags.find(({ name }) => name === flag);

describe('what shells are told', () => {
  it('follows from the declarations of flags', () => {
    expect(flagOf('experiment', 'norm')).toMatchObject({ values: ['linf', 'l2', 'l1', 'spatial'], isList: false });
    expect(flagOf('experiment', 'attack')).toMatchObject({ isList: true, files: true });
    expect(flagOf('experiment', 'attack')?.values).toEqual(expect.arrayContaining(['fgsm', 'autoattack', 'all']));
    expect(flagOf('experiment', 'defense')?.values).toEqual(expect.arrayContaining(['jpeg', 'none', 'all']));
    expect(flagOf('experiment', 'dataset')?.values).toContain('cifar10');
    expect(flagOf('experiment', 'apgd.loss')).toMatchObject({ values: ['cross-entropy', 'dlr'], isParameter: true });
    expect(flagOf('train', 'training')?.values).toEqual(expect.arrayContaining(['trades', 'adversarial']));
    expect(flagOf('experiment', 'training')?.values).not.toContain('pgd-training');
    expect(flagOf('train', 'size')).toMatchObject({ files: false, takesValue: true });
    expect(flagOf('experiment', 'images')?.files).toBe(true);
    expect(flagOf('experiment', 'resume')?.takesValue).toBe(false);
  });

  it('is the same of every command that there is', async () => {
    const { terminal, out } = listen();
    expect(await main(['--help'], terminal)).toBe(0);
    for (const { name } of commands) expect(out.join('\n')).toContain(`gibbon ${name}`);
  });
});

const hasBash = spawnSync('bash', ['--version']).status === 0;

describe.skipIf(!hasBash)('in bash', () => {
  /** What the last of these words may become, word by word as bash splits them. */
  function completions(lines: readonly (readonly string[])[]): string[][] {
    const driver = lines.map((words) => {
      const quoted = words.map((word) => `'${word}'`).join(' ');
      return `COMP_WORDS=(${quoted}); COMP_CWORD=${words.length - 1}; _gibbon; printf '%s\\t' "\${COMPREPLY[@]}"; echo`;
    });
    const script = [bashScript(commands), ...driver].join('\n');
    const { stdout, stderr } = spawnSync('bash', ['--norc'], { input: script, cwd: folder, encoding: 'utf8' });
    expect(stderr).toBe('');
    return stdout
      .trimEnd()
      .split('\n')
      .map((line) => line.split('\t').filter((word) => word !== ''));
  }

  it('commands, flags, names, lists and files are completed', () => {
    const cases: readonly (readonly [words: string, may: readonly string[]])[] = [
      ['gibbon re', ['report']],
      ['gibbon --att', ['--attack']],
      ['gibbon experiment --tr', ['--training', '--transfer', '--transfer.epsilon']],
      ['gibbon --pgd.s', ['--pgd.steps', '--pgd.step', '--pgd.share']],
      ['gibbon --attack mi', ['mi-fgsm']],
      ['gibbon --attack pgd,fgsm,a', ['pgd,fgsm,apgd-t', 'pgd,fgsm,apgd', 'pgd,fgsm,autoattack', 'pgd,fgsm,all']],
      ['gibbon --attack fgsm,fg', []],
      ['gibbon --attack = mi', ['mi-fgsm']],
      ['gibbon --seed ', []],
      ['gibbon train --training tr', ['trades']],
      ['gibbon --training tr', ['trades']],
      ['gibbon certify --norm ', []],
      ['gibbon --config pa', ['panda']],
      ['gibbon --images my', ['my photo.jpg']],
      ['gibbon verify m', ['my photo.jpg']],
      ['gibbon list m', []],
      ['gibbon completion ', [...SHELLS]],
    ];
    const found = completions(cases.map(([words]) => words.split(' ')));
    cases.forEach(([words, may], i) => {
      expect([...(found[i] ?? [])].sort(), words).toEqual([...may].sort());
    });
  });
});

describe('the scripts', () => {
  it('hold no quote or line that a label could open', () => {
    const hostile = "it's $(rm) \\ : a";
    const flag = {
      name: 'a',
      label: hostile,
      takesValue: true,
      isList: false,
      values: [],
      files: false,
      isParameter: false,
    };
    const command = { name: 'c', summary: hostile, flags: [flag], values: [], files: false };
    expect(bashScript([command])).not.toContain('rm');
    expect(zshScript([command])).toContain(String.raw`'--a:it'\''s $(rm) \ : a'`);
    expect(fishScript([command])).toContain(String.raw`-d 'it\'s $(rm) \\ : a'`);
  });

  it('are printed for one shell, and others are refused', async () => {
    const { terminal, out } = listen();
    expect(await main(['completion', 'fish'], terminal)).toBe(0);
    expect(out.join('\n')).toMatch(/complete -c gibbon -n '[^']+' -l attack /);
    for (const words of [[], ['bash', 'zsh'], ['csh']]) {
      const heard = listen();
      expect(await main(['completion', ...words], heard.terminal)).toBe(2);
      expect(heard.err).toHaveLength(1);
    }
  });
});
