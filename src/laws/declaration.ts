/** Laws on what an attack says of itself. */
import { basename } from 'node:path';
import { messageOf } from '../core/errors.ts';
import { resolveParams } from '../core/params.ts';
import { rehearse } from '../evaluate/rehearse/rehearse.ts';
import { BrokenLaw, type Law, requires } from './law.ts';
import { CLASSES, INPUT } from './stage.ts';

const hasItsFilesName: Law = {
  name: 'has its file’s name',
  check: ({ attack, file }) => {
    const expected = basename(file).replace(/\.[jt]s$/, '');
    requires(attack.name === expected, () => `${file} calls it "${attack.name}"; write name: '${expected}'`);
  },
};

const linksItsPaper: Law = {
  name: 'links its paper',
  check: ({ attack: { paper } }) =>
    requires(/^https:\/\/[^\s/]+\.[^\s/]+\/\S*$/.test(paper), () => `"${paper}" is no https URL`),
};

const hasAcceptedDefaults: Law = {
  name: 'has defaults that its parameters accept, and labels',
  check: ({ attack }) => {
    for (const [name, param] of Object.entries(attack.params)) {
      const shown = JSON.stringify(param.default);
      requires(
        Object.is(param.parse(param.default), param.default),
        () => `the default of ${name} is ${shown}; it must be ${param.accepts}`,
      );
      requires(param.label.trim() !== '', () => `${name} has no label`);
    }
  },
};

const hasAStateToCarry: Law = {
  name: 'carries a state that the harness can carry',
  comesFirst: true,
  check: async ({ attack, norm }) => {
    const params = resolveParams(attack.name, attack.params);
    const classifier = { input: INPUT, classes: CLASSES };
    for (const targeted of [false, true]) {
      await rehearse({ attack, params, classifier, norm, targeted }).catch((error: unknown) => {
        throw new BrokenLaw(messageOf(error));
      });
    }
  },
};

export const DECLARATION: readonly Law[] = [hasItsFilesName, linksItsPaper, hasAcceptedDefaults, hasAStateToCarry];
