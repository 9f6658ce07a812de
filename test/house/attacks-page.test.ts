import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { attacksPage } from '../../docs/attacks.ts';
import { headerOf, toMarkdown } from '../../docs/header.ts';
import { PACKAGE_ROOT } from '../../src/cli/paths.ts';
import { isEnsemble } from '../../src/core/attack.ts';
import { loadAttacks } from '../../src/discover/modules.ts';

const PATH = join(PACKAGE_ROOT, 'docs', 'attacks.md');

const attacks = await loadAttacks();
const made = await attacksPage();

/** What the page says of an attack, from its heading to the next. */
const entryOf = (name: string): string => made.split(/^#{2,3} /m).find((part) => part.startsWith(`${name}\n`)) ?? '';

describe('the page of attacks', () => {
  it('is what the files of attacks/ say (UPDATE_README=1 writes it anew)', () => {
    if (process.env.UPDATE_README === '1') writeFileSync(PATH, made);
    expect(readFileSync(PATH, 'utf8')).toBe(made);
  });

  it.each([...attacks.values()])(
    'has an entry for $name, with its paper, its parameters and an equation or stages',
    (attack) => {
      const entry = entryOf(attack.name);
      expect(entry).toContain(`[${attack.title}](${attack.paper})`);
      for (const [key, { accepts }] of Object.entries(attack.params)) {
        expect(entry).toContain(`--${attack.name}.${key}`);
        expect(entry).toContain(accepts);
      }
      expect(entry).toMatch(isEnsemble(attack) ? /\| stage/ : /a try costs/);
      expect(entry, 'a source with its year stands in the header').toMatch(/\b(19|20)\d\d\b/);
    },
  );

  it('points to headings that it has', () => {
    const targets = [...made.matchAll(/\]\(#([^)]+)\)/g)].map(([, target = '']) => target);
    expect(targets.length).toBeGreaterThan(attacks.size - 1);
    for (const target of targets) expect(entryOf(target), target).not.toBe('');
  });

  it('counts what is known of some attacks by hand', () => {
    expect(entryOf('fgsm')).toContain('- a try costs 1 gradient\n- draws no noise');
    expect(entryOf('pgd')).toContain('- a try costs 40 gradients\n- draws noise');
    expect(entryOf('noise')).toContain('- 0 steps by default\n- a try costs nothing');
    expect(entryOf('fab-t')).toContain('- of minimum norm');
    expect(entryOf('fab-t')).toContain('aims at 9 classes');
  });
});

describe('a header', () => {
  it('loses its stars, and nothing else', () => {
    expect(headerOf('/**\n * One: x ← y.\n *\n *   z = x * y\n */\nimport x;')).toBe('One: x ← y.\n\n  z = x * y');
    expect(() => headerOf('import x;')).toThrow(/comment/);
  });

  it('becomes paragraphs, blocks of code and lists', () => {
    const text = 'With w_j * 2 and `w_j`:\n\n  z = w_j * 2\n  y = z\n\nand if\n  1. it is\n  2. it was\n\nEnd.';
    expect(toMarkdown(text)).toBe(
      'With w\\_j \\* 2 and `w_j`:\n\n```text\nz = w_j * 2\ny = z\n```\n\nand if\n\n1. it is\n2. it was\n\nEnd.',
    );
  });
});
