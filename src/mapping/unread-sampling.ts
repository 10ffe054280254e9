/**
 * Looking for unread fields costs a tenth of the mapping, and the events of one name mostly have
 * the same fields: so many are examined, then each sixteenth.
 */
const EXAMINED_FIRST = 1_000;
const THEN_EACH = 16;
/** Names that are counted by themselves, as in the list of unread fields; the others together. */
const MAX_NAMES = 200;

/** By source, which a reload replaces: then each name starts over. */
const samplings = new WeakMap<object, (eventName: string) => boolean>();

/** Whether to examine the next event of a name, of events that this source receives. */
export function samplingOf(source: object): (eventName: string) => boolean {
  const known = samplings.get(source) ?? createSampling();
  samplings.set(source, known);
  return known;
}

function createSampling(): (eventName: string) => boolean {
  const counts = new Map<string, number>();
  return (eventName) => {
    const name = counts.has(eventName) || counts.size < MAX_NAMES ? eventName : OTHER;
    const count = counts.get(name) ?? 0;
    counts.set(name, count + 1);
    return count < EXAMINED_FIRST || count % THEN_EACH === 0;
  };
}

/** No event has a blank name. */
const OTHER = '';

/** For events that are counted already. */
export function isNeverExamined(): boolean {
  return false;
}
