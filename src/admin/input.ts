import { z } from 'zod';
import { ProblemError } from '../http/problems.ts';

/** Findings that one answer tells. */
const MOST = 3;

/**
 * Checks what a caller sent.
 * @throws ProblemError `bad-request` that names the fields and what they must be, and repeats no value
 */
export function readInput<S extends z.ZodType>(schema: S, input: unknown): z.output<S> {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  throw new ProblemError('bad-request', parsed.error.issues.slice(0, MOST).map(sentence).join('; '));
}

function sentence(issue: z.core.$ZodIssue): string {
  if (issue.code === 'unrecognized_keys') {
    const keys = issue.keys.slice(0, MOST).map((key) => key.slice(0, 40));
    return `${[...issue.path, keys.join(', ')].join('.')}: is not known here; leave it out`;
  }
  return issue.path.length === 0 ? issue.message : `${issue.path.join('.')}: ${issue.message}`;
}
