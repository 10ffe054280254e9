import type { IdentifierKind } from '../../capillary/identifiers.ts';
import type { Attributes, AttributeVersion } from './attribute-version.ts';
import { IDENTITY_FACTS } from './identity-facts.ts';
import { PROGRAM_FACTS } from './points-history.ts';

/*
 * The facts of a customer are read and written with each of its events, so their number has a
 * bound, whatever the events contain.
 */

/** No customer has nearly as many linked accounts or cards. */
const MAX_SLOTS = 100;
/** No customer takes part in nearly as many programs. */
const MAX_PROGRAMS = 50;

const SLOT_KINDS: readonly IdentifierKind[] = ['externalId', 'email', 'phone', 'cardNumber'];
const SLOT_PREFIX = `@${IDENTITY_FACTS}[`;
const PROGRAM_PREFIX = `@${PROGRAM_FACTS}[`;

/** Keeps the newest identities of each kind and the newest programs. */
export function pruneSurplusFacts(attributes: Attributes): void {
  if (attributes.size <= Math.min(MAX_SLOTS, MAX_PROGRAMS) || !hasSurplus(attributes)) {
    return;
  }
  for (const kind of SLOT_KINDS) {
    keepNewest(attributes, `${SLOT_PREFIX}${kind}].`, MAX_SLOTS);
  }
  pruneSurplusPrograms(attributes);
}

/** Cheap, because it runs for each event. Facts of one program mostly follow each other. */
function hasSurplus(attributes: Attributes): boolean {
  let slots = 0;
  let program: string | undefined;
  const programs = new Set<string>();
  for (const path of attributes.keys()) {
    if (path.startsWith(PROGRAM_PREFIX)) {
      if (program === undefined || !path.startsWith(program)) {
        program = programOf(path);
        programs.add(program);
      }
    } else if (path.startsWith(SLOT_PREFIX)) {
      slots += 1;
    }
  }
  return slots > MAX_SLOTS || programs.size > MAX_PROGRAMS;
}

/** Removes all facts of a prefix but the newest ones. */
export function keepNewest(attributes: Attributes, prefix: string, max: number): void {
  const facts: (readonly [path: string, version: AttributeVersion])[] = [];
  for (const fact of attributes) {
    if (fact[0].startsWith(prefix)) {
      facts.push(fact);
    }
  }
  if (facts.length > max) {
    for (const [path] of facts.toSorted(newestFirst).slice(max)) {
      attributes.delete(path);
    }
  }
}

function pruneSurplusPrograms(attributes: Attributes): void {
  const programs = new Map<string, AttributeVersion>();
  for (const [path, version] of attributes) {
    if (path.startsWith(PROGRAM_PREFIX)) {
      const program = programOf(path);
      const newest = programs.get(program);
      const isOlder = newest !== undefined && newestFirst(['', newest], ['', version]) <= 0;
      programs.set(program, isOlder ? newest : version);
    }
  }
  if (programs.size <= MAX_PROGRAMS) {
    return;
  }
  const surplus = new Set(
    [...programs]
      .toSorted(newestFirst)
      .slice(MAX_PROGRAMS)
      .map(([program]) => program),
  );
  for (const path of attributes.keys()) {
    if (path.startsWith(PROGRAM_PREFIX) && surplus.has(programOf(path))) {
      attributes.delete(path);
    }
  }
}

/** The beginning of a path, with the id of the program: `@p[973]`. */
function programOf(path: string): string {
  return path.slice(0, path.indexOf(']') + 1);
}

/** In a fixed order also for facts of one event. */
function newestFirst(
  [pathA, a]: readonly [path: string, version: AttributeVersion],
  [pathB, b]: readonly [path: string, version: AttributeVersion],
): number {
  return b.at - a.at || (b.by < a.by ? -1 : b.by > a.by ? 1 : pathA < pathB ? -1 : pathA > pathB ? 1 : 0);
}
