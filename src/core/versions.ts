/** Versions of what numbers depend on. */
export interface Versions {
  readonly gibbon: string;
  /** Commit of the working tree, with `-dirty` where files differ from it; null if there is none. */
  readonly commit: string | null;
  readonly packages: Readonly<Record<string, string>>;
}
