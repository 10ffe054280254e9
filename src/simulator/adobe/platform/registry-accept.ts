import type { IncomingHttpHeaders } from 'node:http';
import { type Checked, refuse, registryError } from './registry-errors.ts';
import { LIST_FORMS, LOOKUP_FORMS, type ResourceForm } from './registry-views.ts';

function invalid(accept: string, wanted: string): { readonly ok: false } & ReturnType<typeof refuse> {
  const detail = `The supplied Accept header is not valid: ${accept} - A valid Accept value should look like ${wanted}`;
  return refuse(registryError('XDM-1006-400', detail));
}

/**
 * The form that a list is to have. A version makes the header invalid
 * (docs/platforms/adobe.md#reading-schemas).
 */
export function listForm({ accept = '' }: IncomingHttpHeaders): Checked<ResourceForm> {
  const [, name] = /^application\/vnd\.adobe\.([a-z-]+)\+json$/.exec(accept.trim()) ?? [];
  const form = LIST_FORMS.find((known) => known === name);
  return form === undefined
    ? invalid(accept, 'application/vnd.adobe.{xed-id|xed}+json')
    : { ok: true, value: form };
}

/** The form that one resource is to have; a version is required. */
export function lookupForm({ accept = '' }: IncomingHttpHeaders): Checked<ResourceForm> {
  const [, name, version] =
    /^application\/vnd\.adobe\.([a-z-]+)\+json\s*;\s*version\s*=\s*(\d+(?:\.\d+)*)$/.exec(accept.trim()) ??
    [];
  const form = LOOKUP_FORMS.find((known) => known === name);
  const isVersion = version !== undefined && version.split('.')[0] === '1';
  return form === undefined || !isVersion
    ? invalid(accept, 'application/vnd.adobe.{xed|xed-full|xed-notext|xed-full-notext}+json; version=1')
    : { ok: true, value: form };
}

/** Descriptors have forms of their own, and no version. */
export function descriptorForm({ accept = '' }: IncomingHttpHeaders): Checked<'id' | 'link' | 'full'> {
  const [, name] = /^application\/vnd\.adobe\.xdm(-id|-link|-v2)?\+json$/.exec(accept.trim()) ?? [
    undefined,
    'none',
  ];
  if (name === 'none') return invalid(accept, 'application/vnd.adobe.{xdm|xdm-id|xdm-link}+json');
  return { ok: true, value: name === '-id' ? 'id' : name === '-link' ? 'link' : 'full' };
}
