import type { Finding } from './config-error.ts';
import type { Draft } from './draft.ts';
import { nearest } from './nearest.ts';

function doubled(list: 'sources' | 'destinations', draft: Draft): Finding[] {
  const names = draft[list].map(({ name }) => name);
  return names.flatMap((name, index) => {
    const first = names.indexOf(name);
    if (name === undefined || first === index) return [];
    return [
      {
        path: [list, index, 'name'],
        message: `${name} is the name of ${list}[${first}] too`,
        cure: 'give it a name of its own',
      },
    ];
  });
}

function dangling({ sources, destinations }: Draft): Finding[] {
  const known = destinations.flatMap(({ name }) => (name === undefined ? [] : [name]));
  // A destination whose name could not be read may be the one that is meant.
  if (known.length < destinations.length) return [];
  return sources.flatMap(({ destination }, index) => {
    if (destination === undefined || known.includes(destination)) return [];
    const meant = nearest(destination, known);
    return [
      {
        path: ['sources', index, 'destination'],
        message: `there is no destination of the name ${destination}`,
        cure: `${meant === undefined ? 'choose one.' : `did you mean \`${meant}\`?`} Destinations: ${known.join(', ')}`,
      },
    ];
  });
}

/** Names are told apart, and each source has its destination. */
export function nameFindings(draft: Draft): Finding[] {
  return [...doubled('sources', draft), ...doubled('destinations', draft), ...dangling(draft)];
}
