import { describe, expect, it } from 'vitest';
import { ConfigError } from '../../src/config/config-error.ts';
import { type ConfigEdit, editConfig } from '../../src/config/edit-config.ts';

function edited(text: string, ...edits: ConfigEdit[]): string {
  return editConfig(text, edits, 'relay.yaml');
}

function set(path: string, value: unknown): ConfigEdit {
  const steps = path.split('.').map((step) => (/^\d+$/.test(step) ? Number(step) : step));
  return { path: steps, value };
}

describe('editConfig', () => {
  it('replaces a value and keeps the comment behind it', () => {
    const text = 'a: 1\nb:   ${OLD:-}   # the id\nc: 3\n';
    expect(edited(text, set('b', 'https://ns.adobe.com/acme/schemas/1'))).toBe(
      'a: 1\nb:   https://ns.adobe.com/acme/schemas/1   # the id\nc: 3\n',
    );
  });

  it('quotes a value that YAML would read as something else', () => {
    expect(edited('a: x\n', set('a', '007'))).toBe('a: "007"\n');
    expect(edited('a: x\n', set('a', '@org: #1'))).toBe('a: "@org: #1"\n');
  });

  it('adds a key at the end of its object, behind a comment, in its indentation', () => {
    const text =
      'destinations:\n  - name: aep      # first\n    events:\n      write: x   # kept\n\n    # the next one\n  - name: other\nlog: {}\n';
    expect(
      edited(text, set('destinations.0.events.flowId', 'f-1'), set('destinations.0.tenant', '_acme')),
    ).toBe(
      'destinations:\n  - name: aep      # first\n    events:\n      write: x   # kept\n      flowId: f-1\n    tenant: _acme\n\n    # the next one\n  - name: other\nlog: {}\n',
    );
  });

  it('adds an object with its keys, one by one', () => {
    expect(edited('a:\n  b: 1\n', set('a.events.schemaId', 's'), set('a.events.flowId', 'f'))).toBe(
      'a:\n  b: 1\n  events:\n    schemaId: s\n    flowId: f\n',
    );
  });

  it('adds keys to an object in braces, also an empty one', () => {
    expect(edited('a: { b: 1 } # c\n', set('a.d', 'e'))).toBe('a: { b: 1, d: e } # c\n');
    expect(edited('a: {}\n', set('a.d', 'e'), set('a.f', true))).toBe('a: { d: e, f: true }\n');
  });

  it('fills a key without a value', () => {
    expect(edited('a:\n  profile:   # records\n  x: 1\n', set('a.profile.flowId', 'f'))).toBe(
      'a:\n  profile:   # records\n    flowId: f\n  x: 1\n',
    );
    expect(edited('a:\n  url: # none\n', set('a.url', 'u'))).toBe('a:\n  url: u # none\n');
    expect(edited('a: ~\n', set('a.b.c', 1))).toBe('a: { b: { c: 1 } }\n');
  });

  it('leaves a file alone that has the values already', () => {
    const text = "a: 'x' # one\n";
    expect(edited(text, set('a', 'x'))).toBe(text);
  });

  it('keeps the line ends of Windows', () => {
    expect(edited('a:\r\n  b: 1\r\n', set('a.c', 2))).toBe('a:\r\n  b: 1\r\n  c: 2\r\n');
  });

  it('works without a line end at the end of the file', () => {
    expect(edited('a:\n  b: 1', set('a.c', 2))).toBe('a:\n  b: 1\n  c: 2');
  });

  it('refuses to change what other keys use as well', () => {
    const text = 'a: &x\n  b: 1\nc: *x\n';
    expect(() => edited(text, set('c.b', 2))).toThrow(ConfigError);
    expect(() => edited(text, set('c.b', 2))).toThrow(/c\.b[\s\S]*by hand/);
  });
});
