import type { RecordClass } from '../../xdm/standard-groups.ts';

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

const RECORD_NAMES: Readonly<Record<RecordClass, string>> = {
  event: 'Capillary loyalty events',
  profile: 'Capillary loyalty profiles',
};

/** The marked name of what carries one record: schema, dataset, mapping set, dataflow. */
export function recordName(record: RecordClass, destination: string): string {
  return markedName(RECORD_NAMES[record], destination);
}
