import type { Engine } from './engine.ts';

export function insertBody({ db, seal }: Engine, seq: number | bigint, body: Uint8Array): void {
  db.run('INSERT INTO bodies (seq, body) VALUES (?, ?)', seq, seal.close(body));
}

/** Undefined when there is none or it cannot be opened. */
export function readBody({ db, seal }: Engine, seq: number): Buffer | undefined {
  const row = db.one('SELECT body FROM bodies WHERE seq = ?', seq) as { body: Uint8Array } | undefined;
  return row === undefined ? undefined : seal.open(row.body);
}

/** Removes the body and, of a dead letter, what was sent. */
export function dropPayloads({ db }: Engine, seq: number): void {
  db.run('DELETE FROM bodies WHERE seq = ?', seq);
  db.run('DELETE FROM sent WHERE seq = ?', seq);
  db.run('UPDATE events SET kept = 0 WHERE seq = ?', seq);
}
