import type { OperatorPause } from '../journal.ts';
import type { Engine } from './engine.ts';
import type { RequestOf } from './protocol.ts';

export function pauses({ db }: Engine): readonly OperatorPause[] {
  return db.all('SELECT destination, by, at FROM pauses ORDER BY destination') as OperatorPause[];
}

export function setPause({ db }: Engine, { destination, pause }: RequestOf<'setPause'>): void {
  if (pause === null) db.run('DELETE FROM pauses WHERE destination = ?', destination);
  else
    db.run(
      'INSERT OR REPLACE INTO pauses (destination, by, at) VALUES (?, ?, ?)',
      destination,
      pause.by,
      pause.at,
    );
}
