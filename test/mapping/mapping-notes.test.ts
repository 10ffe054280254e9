import { describe, expect, it } from 'vitest';
import { createNotes, limitNotes, NOTE_CODES, noteOf } from '../../src/mapping/mapping-notes.ts';
import type { MappingNote } from '../../src/mapping/mapping-result.ts';
import { contextOf, eventWith, messagesOf } from './mapping-rig.ts';

function codesOfKind(kind: MappingNote['kind']) {
  return NOTE_CODES.filter((code) => noteOf('data', code).kind === kind).toSorted();
}

describe('the kind of a note', () => {
  it('is repaired for replaced values', () => {
    expect(codesOfKind('repaired')).toEqual([
      'after-creation',
      'after-receipt',
      'default-program-unknown',
      'no-event-time',
      'not-utf-8',
      'opt-out-counts',
      'primary-fallback',
      'unknown-program',
    ]);
  });

  it('is truncated for values shortened to a limit', () => {
    expect(codesOfKind('truncated')).toEqual([
      'more-notes',
      'near-limit',
      'payload-left-out',
      'shrunk',
      'too-many',
      'too-many-identities',
    ]);
  });

  it('is dropped for all others', () => {
    const others = NOTE_CODES.length - codesOfKind('repaired').length - codesOfKind('truncated').length;

    expect(codesOfKind('dropped')).toHaveLength(others);
    expect(codesOfKind('dropped')).toContain('not-a-date');
  });

  it('is set in the notes of a mapping', async () => {
    const data = { source: 7, enteredAt: Date.UTC(2027, 0, 1) };
    const { notes } = await messagesOf(
      eventWith('customerAdded', data),
      contextOf({
        destination: { identity: { primary: 'email', namespaces: { customerId: 'Cap', email: 'Email' } } },
      }),
    );

    expect(notes.map(({ kind, path, code }) => `${kind} ${code} ${path}`)).toEqual([
      'repaired primary-fallback identityMap',
      'repaired after-creation timestamp',
      'dropped wrong-type data.source',
    ]);
  });

  it('is set for a stored code of another version of the relay', () => {
    expect(noteOf('data.a', 'gone')).toEqual({
      kind: 'dropped',
      path: 'data.a',
      code: 'gone',
      message: expect.stringContaining('another version'),
    });
  });
});

describe('notes that are stored with an event', () => {
  const many = (count: number): readonly MappingNote[] =>
    Array.from({ length: count }, (_, at) => noteOf(`data.f${at}`, 'too-long'));

  it('are at most 100; the last one says that there were more', () => {
    expect(limitNotes(many(100))).toEqual(many(100));
    expect(limitNotes(many(101))).toEqual([...many(99), noteOf('', 'more-notes')]);
  });

  it('say only once that there were more', () => {
    const notes = createNotes();
    for (const { path } of many(150)) notes.add(path, 'too-long');

    expect(limitNotes([...notes.list(), ...many(3)])).toEqual([...many(99), noteOf('', 'more-notes')]);
  });
});

describe('notes', () => {
  it('are collected once each, and at most one hundred of them', () => {
    const notes = createNotes();
    for (let index = 0; index < 150; index += 1) {
      notes.add(`data.a${index}`, 'not-a-date');
      notes.add(`data.a${index}`, 'not-a-date');
    }

    expect(notes.list()).toHaveLength(101);
    expect(notes.list().at(-1)).toMatchObject({ code: 'more-notes' });
  });

  it('shorten a long path of the sender and repair its characters', () => {
    const notes = createNotes();
    notes.add(`data.${'é\ud800'.repeat(500)}`, 'wrong-type');
    const [{ path } = { path: '' }] = notes.list();

    expect(path).toMatch(/^data\.é\ufffdé/);
    expect(path).toHaveLength(200);
    expect(path.isWellFormed()).toBe(true);
  });
});
