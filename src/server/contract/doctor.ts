import { z } from 'zod';

export const DoctorCheck = z.object({
  name: z.string(),
  of: z.enum(['machine', 'service']).describe('What it is about: the machine of the service, or the service'),
  status: z.enum(['ok', 'warning', 'failed']),
  text: z.string(),
  fix: z.string().nullable().describe('What to do; null: nothing'),
});
export type DoctorCheck = z.infer<typeof DoctorCheck>;

/** As `elt doctor` shows it. */
export const DoctorReport = z.object({
  items: z.array(DoctorCheck),
  variables: z
    .array(
      z.object({
        name: z.string(),
        present: z.boolean(),
        pipelines: z.array(z.string()).describe('Whose `env:` refers to it'),
      }),
    )
    .describe('Environment variables that pipelines name; never a value'),
});
export type DoctorReport = z.infer<typeof DoctorReport>;
