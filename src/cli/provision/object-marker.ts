/**
 * The end of the names of the objects that `provision` makes for a destination. Names are not
 * unique at Adobe, and ids are lost with the state file: by the marker an object is found again.
 */
function markerOf(destination: string): string {
  return `[capillary-aep-relay:${destination}]`;
}

/** `Capillary loyalty events` → `Capillary loyalty events [capillary-aep-relay:acme-aep]`. */
export function markedName(name: string, destination: string): string {
  return `${name} ${markerOf(destination)}`;
}

/** Whether an object has been made by `provision` for this destination. */
export function isMarked(name: string, destination: string): boolean {
  return name.endsWith(markerOf(destination));
}
