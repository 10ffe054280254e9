// Preload for NODE_OPTIONS=--import, which applies to every thread. Keeps, for each file in the
// folder SYNCED_FROM, what a loss of power would leave of it for certain: in the folder SYNCED_TO,
// its content as of its last sync. `<name>.syncs` grows by a byte with each sync.
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { basename, dirname, join } from 'node:path';

const from = process.env['SYNCED_FROM'];
const to = process.env['SYNCED_TO'];
const BLOCK_BYTES = 4_096;
const original = { fdatasync: fs.fdatasync, fdatasyncSync: fs.fdatasyncSync, fsyncSync: fs.fsyncSync };

/** Of a slow disk: so much more of the time something is written and not synced. */
const MAX_SYNC_MS = { blocking: 8, background: 400 };

/** By name of the file. */
const views = new Map();
let lastSync = 0;

function wait(ms) {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

function nameOf(handle) {
  const path = fs.readlinkSync(`/proc/self/fd/${handle}`);
  return dirname(path) === from ? basename(path) : undefined;
}

function read(handle) {
  const content = Buffer.alloc(fs.fstatSync(handle).size);
  for (let at = 0, bytes = 1; at < content.length && bytes > 0; at += bytes)
    bytes = fs.readSync(handle, content, at, content.length - at, at);
  return content;
}

/** Writes the blocks that have changed. A crash within it is one within the sync. */
function keep(name, content, sync) {
  const known = views.get(name) ?? {
    handle: fs.openSync(join(to, name), 'w'),
    counter: fs.openSync(join(to, `${name}.syncs`), 'a'),
    content: Buffer.alloc(0),
    sync: 0,
  };
  if (known.sync > sync) return;
  for (let at = 0; at < content.length; at += BLOCK_BYTES) {
    const block = content.subarray(at, at + BLOCK_BYTES);
    if (!block.equals(known.content.subarray(at, at + BLOCK_BYTES)))
      fs.writeSync(known.handle, block, 0, block.length, at);
  }
  if (content.length < known.content.length) fs.ftruncateSync(known.handle, content.length);
  fs.writeSync(known.counter, '.');
  views.set(name, { ...known, content, sync });
}

function watched(sync) {
  return (handle) => {
    wait(Math.random() * MAX_SYNC_MS.blocking);
    sync(handle);
    const name = nameOf(handle);
    if (name !== undefined) keep(name, read(handle), (lastSync += 1));
  };
}

fs.fdatasyncSync = watched(original.fdatasyncSync);
fs.fsyncSync = watched(original.fsyncSync);
fs.fdatasync = (handle, done) => {
  const name = nameOf(handle);
  // What is written while the sync is running may not be part of it.
  const content = name === undefined ? undefined : read(handle);
  const sync = (lastSync += 1);
  setTimeout(
    () =>
      original.fdatasync(handle, (error) => {
        if (error === null && content !== undefined) keep(name, content, sync);
        done(error);
      }),
    Math.random() * MAX_SYNC_MS.background,
  );
};
syncBuiltinESMExports();
