/**
 * True if the stored state of a customer shows that the contact needs no counting: an earlier event
 * of this customer, or of one merged into it, had it, so there is a fact with it. An older relay
 * stored contacts as attributes and counted none. After a deletion nothing is counted, because
 * a late event could bring back what was erased. A search in the text, because parsing the state
 * costs as much as mapping the event.
 *
 * @param state as `serializeState` wrote it
 */
export function isKnownContact(state: string | undefined, id: string): boolean {
  if (state === undefined) {
    return false;
  }
  return state.includes(`]",${JSON.stringify(id)}`) || state.includes('"deletedAt":');
}
