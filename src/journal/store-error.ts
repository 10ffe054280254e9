/** The store could not take or give: disk full, I/O error, engine gone. Nothing of the call was kept. */
export class StoreError extends Error {
  override name = 'StoreError';
}

/** The call cannot be carried out as it was asked; nothing of it was kept and asking the same again is no use. */
export class RefusedError extends Error {
  override name = 'RefusedError';
}
