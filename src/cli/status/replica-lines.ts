import type { ReplicaAnswer } from '../admin-answers.ts';
import { type FittingColumn, fittingTable } from '../fitting-table.ts';
import { toPrintable } from '../table.ts';
import { formatAge } from '../time-format.ts';
import { KEEP, type Line } from './status-line.ts';

/** One that has been silent for longer is probably about to be declared dead. */
const MAX_SILENCE_MS = 3_000;

function slotsOf({ slots }: ReplicaAnswer): string {
  return Object.entries(slots)
    .map(([destination, count]) => `${destination} ${count}`)
    .join(', ');
}

/** In a few words what is special about it. */
function roleOf({ isLeader, isSelf, silentFor }: ReplicaAnswer): string {
  return [
    ...(isLeader ? ['leader'] : []),
    ...(isSelf ? ['answers'] : []),
    ...(silentFor > MAX_SILENCE_MS ? [`silent for ${Math.round(silentFor / 1_000)} s`] : []),
  ].join(', ');
}

/** The replicas that share the store; nothing for a single one. @param now epoch ms */
export function replicaLines(replicas: readonly ReplicaAnswer[], now: number, width: number): Line[] {
  if (replicas.length < 2) return [];
  const versions = new Set(replicas.map(({ version }) => version));
  const columns: FittingColumn<ReplicaAnswer>[] = [
    { heading: 'REPLICA', cell: ({ name }) => name, cutTo: 40 },
    { heading: 'AGE', cell: ({ since }) => formatAge(Math.max(0, now - Date.parse(since))), leaveOut: 1 },
    { heading: 'VERSION', cell: ({ version }) => version, leaveOut: versions.size > 1 ? 5 : 2 },
    { heading: 'ACC/S', cell: ({ rates }) => rates.accepted.toFixed(1), leaveOut: 4 },
    { heading: 'DEL/S', cell: ({ rates }) => rates.delivered.toFixed(1), leaveOut: 4 },
    { heading: 'SLOTS', cell: slotsOf, cutTo: 16 },
    { heading: 'ROLE', cell: roleOf, leaveOut: 3 },
  ];
  const [head = '', ...rows] = fittingTable(replicas, columns, width);
  const mixed: Line[] =
    versions.size > 1
      ? [{ text: `  several versions: ${[...versions].map(toPrintable).join(', ')}`, tone: 'yellow' }]
      : [];
  return [
    { text: head, tone: 'bold' },
    ...rows.map((text, index): Line => {
      const isSilent = (replicas[index]?.silentFor ?? 0) > MAX_SILENCE_MS;
      return { text, keep: KEEP.rest, ...(isSilent ? { tone: 'yellow' } : {}) };
    }),
    ...mixed,
    { text: '' },
  ];
}
