/** The little of d3-node 4 and d3 7 that `svg.ts` uses; neither brings types. */
declare module 'd3-node' {
  export interface Selection {
    append(element: string): Selection;
    attr(name: string, value: string | number): Selection;
    text(value: string): Selection;
    node(): { readonly outerHTML: string };
    remove(): void;
  }

  export class D3Node {
    createSVG(width: number, height: number, attributes?: Readonly<Record<string, string>>): Selection;
  }
}
