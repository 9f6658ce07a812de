/** The nodes of a GraphModel: whether they are a graph at all, before TensorFlow.js follows them. */
import type { Refuse } from './refusal.ts';

interface Node {
  readonly name: string;
  readonly inputs: readonly string[];
}

/** @throws UserError if a node is none, or reads one that is not there, or in the end itself */
export function checkGraph(nodes: readonly unknown[], refuse: Refuse): void {
  const checked = nodes.map((node) => nodeOf(node, refuse));
  const names = new Set(checked.map(({ name }) => name));
  if (names.size !== checked.length) throw refuse('two nodes of its graph have one name');
  for (const { name, inputs } of checked) {
    const missing = inputs.find((input) => !names.has(producer(input)));
    if (missing !== undefined)
      throw refuse(`the node ${shown(name)} reads ${shown(missing)}, which is not in its graph`);
  }
  const stuck = neverReady(checked);
  if (stuck !== undefined) throw refuse(`the node ${shown(stuck)} waits in a circle for what it gives itself`);
}

/** A node that can never be computed, since nodes before it wait for one another: following them would have no end. */
function neverReady(nodes: readonly Node[]): string | undefined {
  const waitsFor = new Map(nodes.map(({ name, inputs }) => [name, new Set(inputs.map(producer))]));
  const readers = new Map<string, string[]>(nodes.map(({ name }) => [name, []]));
  for (const [name, producers] of waitsFor) for (const one of producers) readers.get(one)?.push(name);
  const ready = nodes.map(({ name }) => name).filter((name) => waitsFor.get(name)?.size === 0);
  for (let done = ready.pop(); done !== undefined; done = ready.pop()) {
    for (const reader of readers.get(done) ?? []) {
      const left = waitsFor.get(reader);
      left?.delete(done);
      if (left?.size === 0) ready.push(reader);
    }
  }
  return nodes.find(({ name }) => waitsFor.get(name)?.size !== 0)?.name;
}

function nodeOf(node: unknown, refuse: Refuse): Node {
  const {
    name,
    op,
    input = [],
  } = (node ?? {}) as { readonly name?: unknown; readonly op?: unknown; readonly input?: unknown };
  const isWhole =
    typeof name === 'string' &&
    typeof op === 'string' &&
    Array.isArray(input) &&
    input.every((one) => typeof one === 'string');
  if (isWhole) return { name, inputs: input as readonly string[] };
  throw refuse('a node of its graph lacks a name, an operation, or a list of inputs');
}

/** `split:1` is an output of `split`, `^check` a node that only has to run before. */
const producer = (input: string): string => input.replace(/^\^/, '').replace(/:.*$/, '');

const shown = (name: string): string => JSON.stringify(name.slice(0, 80));
