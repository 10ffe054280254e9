/** Violations of the relay's guarantees found so far; none at the end of a successful run. */
export interface Findings {
  add(text: string): void;
  list(): readonly string[];
}

/** One defect can cause thousands of findings; more than these add no information. */
const MAX_FINDINGS = 200;

/** @param log called once for each finding, as soon as it is added */
export function createFindings(log: (text: string) => void = () => undefined): Findings {
  const found: string[] = [];
  return {
    add(text) {
      if (found.length >= MAX_FINDINGS) return;
      found.push(text);
      log(text);
    },
    list: () => found,
  };
}
