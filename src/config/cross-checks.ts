import type { Finding } from './config-error.ts';
import { destinationFindings } from './destination-checks.ts';
import { type Draft, draftOf } from './draft.ts';
import { nameFindings } from './name-checks.ts';
import { sourceFindings } from './source-checks.ts';
import { portFindings, storeFindings } from './store-checks.ts';

const CHECKS: readonly ((draft: Draft) => Finding[])[] = [
  portFindings,
  storeFindings,
  nameFindings,
  sourceFindings,
  destinationFindings,
];

/** What is wrong between keys that are each right by themselves. */
export function crossFindings(tree: unknown): Finding[] {
  const draft = draftOf(tree);
  return CHECKS.flatMap((check) => check(draft));
}
