/** What the judge holds against the relay. Empty in the end: the relay kept its promises. */
export interface Findings {
  add(text: string): void;
  list(): readonly string[];
}

/** More than these tell nothing new. */
const MOST = 200;

/** @param told called for each finding at once */
export const createFindings = (told: (text: string) => void = () => undefined): Findings => {
  const found: string[] = [];
  return {
    add(text) {
      if (found.length >= MOST) return;
      found.push(text);
      told(text);
    },
    list: () => found,
  };
};
