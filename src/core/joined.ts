/** What a run that was joined from others keeps of each of them. */
import { z } from 'zod';

/**
 * The runs that a joined one was made of, in the order in which they were named; of a joined one among them, its own.
 *
 * @param provenance - the schema of a run's provenance
 */
export const joinedFrom = <P extends z.ZodType>(provenance: P) =>
  z
    .array(
      z.object({
        /** What the joined run calls it: unique among its sources. */
        id: z.string(),
        command: z.string(),
        config: z.record(z.string(), z.unknown()),
        provenance,
        /** SHA-256 of its run.json, in hex. */
        sha256: z.string(),
      }),
    )
    .min(2);
